#!/usr/bin/env node
// Not in dist: npm links only commands that are there when it installs, and a clone is built after that.
await import('../dist/cli/main.js');
