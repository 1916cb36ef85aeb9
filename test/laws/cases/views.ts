import type { LawCase } from '../law-case.js';

export const views: LawCase[] = [];
