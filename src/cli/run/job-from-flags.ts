import type { Job } from '../../api/batch/job/schema.ts';
import { CommandError } from '../context.ts';

/** The flags of `run` that describe a Job. */
export interface JobFlags {
	readonly image?: string;
	readonly restart: string;
	readonly command?: boolean | string;
	readonly env: readonly string[];
	readonly completions?: string;
	readonly parallelism?: string;
	readonly backoffLimit?: string;
}

/** The Job that `stint run NAME --image=IMAGE -- ARGS` means; without status and what the server fills in. */
export type NewJob = Pick<Job, 'apiVersion' | 'kind' | 'metadata'> & {
	readonly spec: Omit<Job['spec'], 'template'> & {
		readonly template: { readonly spec: Job['spec']['template']['spec'] };
	};
};

/**
 * Makes the Job that the flags describe, by the rules that `kubectl run` had when it made Jobs: what
 * follows `--` are the image's arguments, or with --command the command itself. `--command PROGRAM` is
 * understood as well, with what follows as its arguments.
 */
export function jobFromFlags(name: string, words: readonly string[], flags: JobFlags): NewJob {
	if (!flags.image)
		throw new CommandError('required flag --image not set: run needs a manifest (-f) or an image');
	const { restart } = flags;
	if (restart !== 'OnFailure' && restart !== 'Never') {
		const hint = restart === 'Always' ? ': a Job ends, so its Pods cannot be restarted always' : '';
		throw new CommandError(`invalid restart policy: ${restart}${hint}. Use OnFailure or Never`);
	}
	const program = typeof flags.command === 'string' ? [flags.command] : [];
	const asCommand = flags.command === true || program.length > 0;
	const args =
		program.length > 0 ? { command: program, args: words } : asCommand ? { command: words } : { args: words };
	const env = flags.env.map(variable);
	return {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name, labels: { run: name } },
		spec: {
			...count('completions', flags.completions),
			...count('parallelism', flags.parallelism),
			...count('backoffLimit', flags.backoffLimit),
			template: {
				spec: {
					restartPolicy: restart,
					containers: [{ name, image: flags.image, ...args, ...(env.length > 0 && { env }) }],
				},
			},
		},
	};
}

function variable(text: string): { readonly name: string; readonly value: string } {
	const split = text.indexOf('=');
	if (split <= 0) throw new CommandError(`invalid env: "${text}"; it must be NAME=VALUE`);
	return { name: text.slice(0, split), value: text.slice(split + 1) };
}

function count(
	field: 'completions' | 'parallelism' | 'backoffLimit',
	text: string | undefined,
): Record<string, number> {
	if (text === undefined) return {};
	const value = Number(text);
	if (text === '' || !Number.isInteger(value) || value < 0)
		throw new CommandError(`${field}: must be a whole number, not "${text}"`);
	return { [field]: value };
}
