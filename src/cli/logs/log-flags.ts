import type { Pod } from '../../api/core/pod/schema.ts';
import { parseTime } from '../../api/meta/time.ts';
import { CommandError } from '../context.ts';
import type { LogOptions } from '../log-stream.ts';

/** The flags that say which part of which logs. */
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

/** The part of each log that is asked for. Throws a CommandError for what cannot be read. */
export function partOf(flags: LogPartFlags): Omit<LogOptions, 'follow' | 'previous' | 'signal'> {
	const { tail, since, sinceTime, limitBytes } = flags;
	if (since !== undefined && sinceTime !== undefined)
		throw new CommandError('at most one of `sinceTime` or `sinceSeconds` may be specified');
	if (sinceTime !== undefined && parseTime(sinceTime) === undefined)
		throw new CommandError(`--since-time: must be a time such as 2026-01-31T08:00:00Z, not "${sinceTime}"`);
	// Of many Pods at once, the ends are what one wants to see.
	const tailLines =
		tail === undefined ? (flags.selector === undefined ? -1 : 10) : wholeNumber('--tail', tail);
	return {
		...(flags.timestamps && { timestamps: true }),
		...(tailLines >= 0 && { tailLines }),
		...(since !== undefined && { sinceSeconds: secondsOf(since) }),
		...(sinceTime !== undefined && { sinceTime }),
		...(limitBytes !== undefined && { limitBytes: wholeNumber('--limit-bytes', limitBytes) }),
	};
}

/** Which container of a Pod `kubectl logs` shows when none is named. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** The containers of a Pod whose logs are asked for; `tell` is told when one was chosen of several. */
export function containersOf(
	{ metadata, spec }: Pod,
	{ container, allContainers }: LogPartFlags,
	tell: (text: string) => void = () => undefined,
): readonly string[] {
	const init = (spec.initContainers ?? []).map(({ name }) => name);
	const names = spec.containers.map(({ name }) => name);
	if (allContainers) return [...init, ...names];
	if (container !== undefined) return [container];
	const named = metadata.annotations?.[DEFAULT_CONTAINER];
	if (named !== undefined && names.includes(named)) return [named];
	const [first] = names;
	if (first === undefined) return [];
	const others = [...names, ...init.map((name) => `${name} (init)`)];
	if (others.length > 1) tell(`Defaulted container "${first}" out of: ${others.join(', ')}`);
	return [first];
}

/** What stands before the lines of one of several logs. */
export function prefixOf({ metadata }: Pod, container: string): string {
	return `[pod/${metadata.name}/${container}] `;
}

function wholeNumber(flag: string, text: string): number {
	const value = Number(text);
	if (text === '' || !Number.isInteger(value))
		throw new CommandError(`${flag}: must be a whole number, not "${text}"`);
	return value;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A length as Go writes them: `10s`, `5m`, `1h30m`. */
function secondsOf(text: string): number {
	const parts = [...text.matchAll(/(\d+)([smh])/g)];
	if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)
		throw new CommandError(`--since: must be a length of time such as 10s, 5m or 1h30m, not "${text}"`);
	return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}
