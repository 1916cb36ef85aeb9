// Runs the README's first command twice, as a newcomer does: the sample has to answer, and the second start to find
// nothing to do. Without DATABASE_URL, so on the embedded PostgreSQL; the deployment's command then says that it skips.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

const { DATABASE_URL: _, ...environment } = process.env;

async function start() {
  // A group of its own: npm does not pass signals on.
  const npm = spawn('npm', ['start'], {
    env: { ...environment, PORT: '0', NO_COLOR: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let url;
  try {
    for await (const chunk of npm.stdout) {
      process.stdout.write(String(chunk));
      output += String(chunk);
      url = /Health: (\S+)/.exec(output)?.[1];
      if (url) break;
    }
    assert.ok(url, 'npm start ended without listening');
    const response = await fetch(url);
    assert.equal(response.status, 200);
    assert.equal(/** @type {{ status: string }} */ (await response.json()).status, 'ok');
    return output;
  } finally {
    if (npm.pid && npm.exitCode === null) {
      process.kill(-npm.pid, 'SIGTERM');
      await once(npm, 'exit');
    }
  }
}

await start();
assert.match(await start(), /nothing to do/);

const skipped = execFileSync('npm', ['run', 'migrate:auto'], {
  env: environment,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
assert.match(skipped, /auto-migrate heal .* --skip-unless-env DATABASE_URL/);
