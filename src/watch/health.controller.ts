import { Controller, Get, type Type } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { AutoMigrationHealthIndicator } from './health-indicator.js';

/** A controller that serves the health of the schema at a path, for applications that have none. */
export function createHealthController(path: string): Type<unknown> {
  @Controller(path)
  class AutoMigrationHealthController {
    constructor(
      private readonly health: HealthCheckService,
      private readonly indicator: AutoMigrationHealthIndicator,
    ) {}

    @Get()
    @HealthCheck()
    check(): Promise<HealthCheckResult> {
      return this.health.check([() => this.indicator.check('schema')]);
    }
  }
  return AutoMigrationHealthController;
}
