import { type RunFlags, runObjects } from '../../src/cli/commands/run.ts';
import type { CliWorld, RunningCommand } from './cli-world.ts';

/** The flags of a run of `job.yaml`. */
export const FLAGS: RunFlags = { filename: ['job.yaml'], env: [] };

/** Starts `run` with the manifest `text`. */
export function startRun(world: CliWorld, text: string, flags: Partial<RunFlags> = {}): RunningCommand {
	world.files.set('job.yaml', text);
	return world.start((context) => runObjects(context, [], { ...FLAGS, ...flags }));
}

/** The condition of a Job that completes. */
export const DONE = ['Complete', 'CompletionsReached', 'Reached expected number of succeeded pods'] as const;
/** The condition of a Job that fails. */
export const FAILED = [
	'Failed',
	'BackoffLimitExceeded',
	'Job has reached the specified backoff limit',
] as const;
