import { Controller, Get, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Staff } from '../entities/index.js';

/** What failed with "column does not exist" until the schema was healed. */
@Controller('staff')
export class StaffController {
  constructor(@InjectRepository(Staff) private readonly staff: Repository<Staff>) {}

  @Get()
  find(@Query('tenant') tenantId = 'tenant-1'): Promise<Staff[]> {
    return this.staff.find({ where: { tenantId }, order: { id: 'ASC' }, take: 50 });
  }
}
