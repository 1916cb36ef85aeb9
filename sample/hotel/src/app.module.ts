import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AutoMigrationModule } from 'nestjs-auto-migration';
import { ENTITIES } from './entities/index.js';
import { HealthController } from './health/health.controller.js';
import { RequestsController } from './requests/requests.controller.js';
import { StaffController } from './staff/staff.controller.js';

@Module({})
export class AppModule {
  /** @param url of the database */
  static with(url: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        // First, so that its bootstrap hook has healed before any other global module's runs. Every 15 seconds, so
        // that "npm run drift" can be watched; an application of one's own would look every few minutes.
        AutoMigrationModule.forRoot({ cron: process.env['CRON'] ?? '*/15 * * * * *', jitterMs: 1000 }),
        TypeOrmModule.forRoot({ type: 'postgres', url, autoLoadEntities: true }),
        TypeOrmModule.forFeature(ENTITIES),
        ScheduleModule.forRoot(),
        TerminusModule,
      ],
      controllers: [HealthController, StaffController, RequestsController],
    };
  }
}
