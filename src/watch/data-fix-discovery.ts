import { Injectable } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { InvalidOptionError } from '../errors.js';
import type { DataFixDefinition, DataFixOptions, DataFixTask } from '../heal/data-fix.js';
import { DATA_FIX } from './data-fix.decorator.js';

/** Finds the application's providers that are decorated with `@DataFix`, in whatever module they are. */
@Injectable()
export class DataFixDiscovery {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  /** @throws InvalidOptionError for one that there is no single instance of */
  find(): DataFixDefinition[] {
    // A provider that several modules list is there several times, and is one fix.
    const found = new Map<unknown, DataFixDefinition>();
    for (const provider of this.discovery.getProviders()) {
      const { metatype } = provider;
      const options = metatype && !provider.isNotMetatype ? this.optionsOf(metatype) : undefined;
      if (!options || found.has(metatype)) continue;
      // Nest gives a request-scoped provider an empty shell, in which nothing was injected.
      const instance: unknown = provider.isDependencyTreeStatic() ? provider.instance : undefined;
      found.set(metatype, { ...options, run: runnerOf(options, instance) });
    }
    return [...found.values()];
  }

  private optionsOf(metatype: unknown): DataFixOptions | undefined {
    if (typeof metatype !== 'function') return undefined;
    return this.reflector.get<DataFixOptions | undefined>(DATA_FIX, metatype);
  }
}

function runnerOf({ id }: DataFixOptions, instance: unknown): DataFixTask['run'] {
  const task = instance as Partial<DataFixTask> | null | undefined;
  if (typeof task?.run === 'function') return task.run.bind(task);
  throw new InvalidOptionError(
    'dataFixes',
    `${id} has no instance with a run(): it must not be request-scoped`,
  );
}
