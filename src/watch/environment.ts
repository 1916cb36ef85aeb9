/** What AUTO_MIGRATE says. Read at bootstrap, so that what a .env file sets counts. */
export type Switch = 'on' | 'off' | 'unclear';

export function readSwitch(environment: NodeJS.ProcessEnv): Switch {
  const value = environment['AUTO_MIGRATE']?.trim().toLowerCase();
  if (value === undefined || value === '' || value === 'true') return 'on';
  return value === 'false' ? 'off' : 'unclear';
}
