import { BadRequestException, Body, Controller, Get, Param, ParseIntPipe, Post, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Message, Request } from '../entities/index.js';

interface NewMessage {
  readonly sender?: unknown;
  readonly body?: unknown;
}

@Controller('requests')
export class RequestsController {
  constructor(
    @InjectRepository(Request) private readonly requests: Repository<Request>,
    @InjectRepository(Message) private readonly messages: Repository<Message>,
  ) {}

  @Get()
  find(@Query('status') status = 'pending'): Promise<Request[]> {
    return this.requests.find({ where: { status }, order: { id: 'ASC' }, take: 50 });
  }

  @Get(':id/messages')
  findMessages(@Param('id', ParseIntPipe) requestId: number): Promise<Message[]> {
    return this.messages.find({ where: { requestId }, order: { id: 'ASC' } });
  }

  @Post(':id/messages')
  async write(
    @Param('id', ParseIntPipe) id: number,
    @Body() { sender, body }: NewMessage = {},
  ): Promise<Message> {
    if (typeof sender !== 'string' || typeof body !== 'string')
      throw new BadRequestException('"sender" and "body" are wanted, as texts');
    const { tenantId } = await this.requests.findOneByOrFail({ id });
    return this.messages.save(this.messages.create({ requestId: id, tenantId, sender, body }));
  }
}
