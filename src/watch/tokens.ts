/** The options as the application gave them. */
export const RAW_OPTIONS = Symbol('nestjs-auto-migration options');

/** The options checked and with every default filled in. */
export const OPTIONS = Symbol('nestjs-auto-migration resolved options');
