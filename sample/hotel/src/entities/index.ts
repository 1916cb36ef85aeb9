import { Call } from './call.entity.js';
import { Message } from './message.entity.js';
import { Request } from './request.entity.js';
import { Staff } from './staff.entity.js';
import { Tenant } from './tenant.entity.js';

export { Call, Message, Request, Staff, Tenant };

export const ENTITIES = [Call, Message, Request, Staff, Tenant];
