import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { openDatabase } from './database/database-url.js';
import { loadLegacyDatabase } from './database/load-legacy.js';

const logger = new Logger('Hotel');
const port = Number(process.env['PORT'] ?? 3000);
const host = process.env['HOST'] ?? '127.0.0.1';

const database = await openDatabase();
try {
  if (await loadLegacyDatabase(database.url)) logger.log('Loaded the legacy database');
  const app = await NestFactory.create(AppModule.with(database.url));
  app.enableShutdownHooks();
  await app.listen(port, host);
  logger.log(`Health: ${await app.getUrl()}/health`);
} catch (error) {
  logger.error(error instanceof Error ? error.message : error);
  await database.stop();
  process.exitCode = 1;
}
