import { once } from 'node:events';
import 'reflect-metadata';
import { ConsoleLogger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AutoMigrationModule } from 'nestjs-auto-migration';
import { hotelEntities } from './hotel-entities.mjs';

// An application as a process of its own, on the built package. Its one argument says how it is set up; it prints where
// it listens, between the lines of its log.

/**
 * @typedef {object} Setup
 * @property {string} url of the database
 * @property {import('nestjs-auto-migration').AutoMigrationModuleOptions} migration
 * @property {boolean} [together] whether it begins only when it reads a line, having loaded all that it needs
 * @property {boolean} [schedule] whether the application has a ScheduleModule
 */

const { url, migration, schedule, together } = /** @type {Setup} */ (JSON.parse(process.argv[2] ?? ''));

// oxlint-disable-next-line typescript/no-extraneous-class -- it is decorated below: plain JavaScript has no decorators
class HotelModule {}
Module({
  imports: [
    AutoMigrationModule.forRoot({ health: { path: '/health' }, ...migration }),
    TypeOrmModule.forRoot({ type: 'postgres', url, entities: hotelEntities }),
    ...(schedule ? [ScheduleModule.forRoot()] : []),
  ],
})(HotelModule);

if (together) {
  console.log(JSON.stringify({ loaded: true }));
  await once(process.stdin, 'data');
}
const application = await NestFactory.create(HotelModule, { logger: new ConsoleLogger({ json: true }) });
application.enableShutdownHooks(['SIGTERM']);
// Closed without a signal the process has to end by itself, once nothing of it is left to do.
process.once('SIGUSR2', () => void application.close());
await application.listen(0, '127.0.0.1');
console.log(JSON.stringify({ listening: await application.getUrl() }));
