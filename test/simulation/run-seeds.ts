import { simulate } from './simulate.ts';

/**
 * A process that runs the seeds of its arguments and exits with 1 after the first that fails. It has no test
 * runner: that one tracks every promise, and hundreds of seeds make more than its table can hold.
 */
for (const seed of process.argv.slice(2)) await simulate(Number(seed));
