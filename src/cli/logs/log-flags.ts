import type { Pod } from '../../api/core/pod/schema.ts';
import { parseTime } from '../../api/meta/time.ts';
import { parseDurationFlag, parseInt64Flag } from '../args/parsed-flag.ts';
import { CommandError } from '../context.ts';
import type { LogPart } from './resumed-log.ts';

/** The flags that select containers and the part of their logs. */
export interface LogPartFlags {
	readonly container?: string;
	readonly allContainers?: boolean;
	readonly timestamps?: boolean;
	readonly tail?: string;
	readonly since?: string;
	readonly sinceTime?: string;
	readonly limitBytes?: string;
	readonly selector?: string;
}

/** The part of each log that the flags select. Throws a CommandError for invalid or contradicting flags. */
export function partOf(flags: LogPartFlags): LogPart {
	const { tail, since, sinceTime, limitBytes } = flags;
	if (since !== undefined && sinceTime !== undefined)
		throw new CommandError('at most one of `sinceTime` or `sinceSeconds` may be specified');
	if (sinceTime !== undefined && parseTime(sinceTime) === undefined)
		throw new CommandError(`--since-time: must be a time such as 2026-01-31T08:00:00Z, not "${sinceTime}"`);
	const sinceMs = parseDurationFlag(since ?? '0', { flag: '--since', command: 'logs' });
	if (sinceMs < 0) throw new CommandError('--since must be greater than 0');
	// As kubectl does, print the last 10 lines of each log by default if a selector chooses the Pods.
	const defaultTail = flags.selector === undefined ? '-1' : '10';
	const tailLines = Number(parseInt64Flag(tail ?? defaultTail, { flag: '--tail', command: 'logs' }));
	if (tailLines < -1) throw new CommandError('--tail must be greater than or equal to -1');
	const limit = Number(parseInt64Flag(limitBytes ?? '0', { flag: '--limit-bytes', command: 'logs' }));
	if (limit < 0) throw new CommandError('--limit-bytes must be greater than 0');
	return {
		...(flags.timestamps && { timestamps: true }),
		...(tailLines >= 0 && { tailLines }),
		...(sinceMs > 0 && { sinceSeconds: Math.round(sinceMs / 1000) }),
		...(sinceTime !== undefined && { sinceTime }),
		...(limit > 0 && { limitBytes: limit }),
	};
}

/** The annotation that names the container whose log `kubectl logs` prints by default. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/**
 * The containers of a Pod whose logs to print. Calls `notify` with kubectl's text if it chose one of several.
 */
export function containersOf(
	{ metadata, spec }: Pod,
	{ container, allContainers }: LogPartFlags,
	notify: (text: string) => void = () => undefined,
): readonly string[] {
	const init = (spec.initContainers ?? []).map(({ name }) => name);
	const names = spec.containers.map(({ name }) => name);
	const ephemeral = (spec.ephemeralContainers ?? []).map(({ name }) => name);
	// In the order in which they start.
	if (allContainers) return [...init, ...names, ...ephemeral];
	if (container !== undefined) return [container];
	const named = metadata.annotations?.[DEFAULT_CONTAINER];
	// An annotation that names no container of the Pod is ignored, as kubectl does.
	if (named !== undefined && names.includes(named)) return [named];
	const [first] = names;
	if (first === undefined) return [];
	// In the order and with the marks of kubectl (AllContainerNames in podcmd).
	const others = [
		...names,
		...ephemeral.map((name) => `${name} (ephem)`),
		...init.map((name) => `${name} (init)`),
	];
	if (others.length > 1) notify(`Defaulted container "${first}" out of: ${others.join(', ')}`);
	return [first];
}

/** The name of a container's log in the prefix of its lines, as kubectl has it. */
export function logNameOf({ metadata }: Pod, container: string): string {
	return `pod/${metadata.name}/${container}`;
}

/** The prefix of each line if several logs are printed. */
export function linePrefixOf(pod: Pod, container: string): string {
	return `[${logNameOf(pod, container)}] `;
}
