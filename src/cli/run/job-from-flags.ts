import type { Container } from '../../api/core/pod/schema.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import { CommandError } from '../context.ts';

/** The flags of `run` that describe a Job. */
export interface JobFlags {
	readonly image?: string;
	readonly imagePullPolicy?: string;
	readonly restart?: string;
	readonly command?: boolean;
	readonly env: readonly string[];
	readonly labels?: string;
	readonly completions?: string;
	readonly parallelism?: string;
	readonly backoffLimit?: string;
	readonly stdin?: boolean;
	readonly tty?: boolean;
	readonly leaveStdinOpen?: boolean;
}

/**
 * The Job of `stint run NAME --image=IMAGE [WORDS] [-- WORDS]`, by the rules of `kubectl run` when it still
 * created Jobs (before 1.18): the words are the arguments of the image, or with --command the command. The
 * result is a manifest, without the defaults that the server sets, so that --dry-run prints only what the
 * user chose. A program at a terminal is not run again by default: its user would be in another shell. Throws a CommandError.
 */
export function jobFromFlags(name: string, words: readonly string[], flags: JobFlags): JsonRecord {
	if (!flags.image)
		throw new CommandError('required flag --image not set: specify an image, or a manifest with -f');
	if (flags.command && words.length === 0)
		throw new CommandError('--command requires a command after the name, as in: -- sh -c "..."');
	if (flags.tty && !flags.stdin)
		throw new CommandError('-i/--stdin is required for containers with -t/--tty=true');
	const restart = flags.restart ?? (flags.tty ? 'Never' : 'OnFailure');
	const backoffLimit = flags.backoffLimit ?? (flags.tty && restart === 'Never' ? '0' : undefined);
	const env = flags.env.map(variable);
	const container: Container = {
		name,
		image: flags.image,
		...(flags.imagePullPolicy !== undefined && { imagePullPolicy: pullPolicy(flags.imagePullPolicy) }),
		...(words.length > 0 && (flags.command ? { command: words } : { args: words })),
		...(env.length > 0 && { env }),
		...(flags.stdin && { stdin: true, ...(!flags.leaveStdinOpen && { stdinOnce: true }) }),
		...(flags.tty && { tty: true }),
	};
	// `run: NAME` is the label that kubectl run sets.
	const labels = { run: name, ...labelsOf(flags.labels) };
	return {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name, labels },
		spec: {
			...count('completions', flags.completions),
			...count('parallelism', flags.parallelism),
			...count('backoffLimit', backoffLimit),
			template: {
				metadata: { labels },
				spec: { containers: [container], restartPolicy: restartPolicy(restart) },
			},
		},
	};
}

/** Throws a CommandError if a flag describes a Job although the Job comes from a manifest. */
export function refuseJobFlags(flags: JobFlags): void {
	// A flag that is silently ignored would let the user believe that the Job has, say, that many completions.
	const given: Readonly<Record<string, unknown>> = {
		'--image': flags.image,
		'--image-pull-policy': flags.imagePullPolicy,
		'--restart': flags.restart,
		'--command': flags.command,
		'--env': flags.env[0],
		'--labels': flags.labels,
		'--completions': flags.completions,
		'--parallelism': flags.parallelism,
		'--backoff-limit': flags.backoffLimit,
	};
	const [first] = Object.keys(given).filter((flag) => given[flag] !== undefined);
	if (first === undefined) return;
	throw new CommandError(`${first} describes a Job made from flags: with -f, set it in the manifest`);
}

/** The policy for --image-pull-policy. Throws a CommandError for any other word. */
function pullPolicy(text: string): NonNullable<Container['imagePullPolicy']> {
	const found = (['Always', 'IfNotPresent', 'Never'] as const).find((policy) => policy === text);
	if (found) return found;
	throw new CommandError(`invalid image pull policy: ${text}. Use Always, IfNotPresent or Never`);
}

/**
 * The policy for --restart. The API would reject `Always` and wrong case too, but without saying what to
 * write.
 */
function restartPolicy(text: string): string {
	const found = ['OnFailure', 'Never'].find((policy) => policy.toLowerCase() === text.toLowerCase());
	if (found === text) return found;
	if (found) throw new CommandError(`invalid restart policy: ${text} (did you mean ${found}?)`);
	const hint =
		text === 'Always' ? ': a Job must finish, and a container that always restarts never does' : '';
	throw new CommandError(`invalid restart policy: ${text}${hint}. Use OnFailure or Never`);
}

/** Parses `NAME=VALUE`; the value may contain more equals signs, and may be empty. */
function variable(text: string): { readonly name: string; readonly value: string } {
	const split = text.indexOf('=');
	if (split <= 0) throw new CommandError(`invalid env: "${text}"; it must be NAME=VALUE`);
	return { name: text.slice(0, split), value: text.slice(split + 1) };
}

/** Parses `key=value,...`. The server validates the keys and values themselves. */
function labelsOf(text = ''): Readonly<Record<string, string>> {
	const pairs = text.split(',').filter((pair) => pair !== '');
	return Object.fromEntries(
		pairs.map((pair) => {
			const [key = '', value, ...rest] = pair.split('=');
			if (key === '' || value === undefined || rest.length > 0)
				throw new CommandError(`invalid label: "${pair}"; it must be KEY=VALUE`);
			return [key, value];
		}),
	);
}

/** The flags with whole numbers, by the fields that they set. */
const COUNTS = {
	completions: '--completions',
	parallelism: '--parallelism',
	backoffLimit: '--backoff-limit',
} as const;

/** A field with a whole number. Larger ones than the API allows are rejected by the server, with the field's limit. */
function count(field: keyof typeof COUNTS, text: string | undefined): Readonly<Record<string, number>> {
	if (text === undefined) return {};
	const value = Number(text);
	if (text === '' || !Number.isInteger(value) || value < 0)
		throw new CommandError(`${COUNTS[field]}: must be a whole number, not "${text}"`);
	return { [field]: value };
}
