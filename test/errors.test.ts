import { expect, test } from 'vitest';
import { redact } from '../src/errors.js';

test.each([
  ['connect postgres://ada:s3cret@db/hotel failed', 'connect postgres://***@db/hotel failed'],
  ['postgres://ada:s3@cret@db/hotel', 'postgres://***@db/hotel'],
  [
    'postgresql://db/hotel?user=ada&password=s3cret&ssl=true',
    'postgresql://db/hotel?user=ada&password=***&ssl=true',
  ],
  ['postgresql://db/hotel?sslpassword=s3cret', 'postgresql://db/hotel?sslpassword=***'],
  ['host=db password=s3cret user=ada', 'host=db password=*** user=ada'],
  ["host=db password = 's3 cr\\'et' user=ada", 'host=db password = *** user=ada'],
  ['PGPASSWORD=s3cret psql', 'PGPASSWORD=*** psql'],
  ['Key (password)=(x) is not unique', 'Key (password)=(x) is not unique'],
  ['column "password" of relation "staff"', 'column "password" of relation "staff"'],
])('%s', (text, shown) => {
  expect(redact(text)).toBe(shown);
});
