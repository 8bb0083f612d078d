import type { DeleteOptions } from '../../client/client.ts';
import { CommandError } from '../context.ts';

/** The flags that say how to delete. */
export interface DeletionFlags {
	readonly cascade: string | boolean;
	readonly gracePeriod?: string;
	readonly now?: boolean;
	readonly force?: boolean;
	readonly timeout?: string;
	readonly wait?: boolean | string;
}

const PROPAGATION: Readonly<Record<string, NonNullable<DeleteOptions['propagationPolicy']>>> = {
	background: 'Background',
	foreground: 'Foreground',
	orphan: 'Orphan',
	// As older kubectl had it.
	true: 'Background',
	false: 'Orphan',
};

/** What to ask the server for, by kubectl's rules. Throws a CommandError for flags that do not fit. */
export function deletionOf({ cascade, gracePeriod, now, force }: DeletionFlags): DeleteOptions {
	const propagationPolicy = PROPAGATION[String(cascade)];
	if (!propagationPolicy)
		throw new CommandError(
			`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`,
		);
	const given = gracePeriod === undefined ? undefined : Number(gracePeriod);
	if (given !== undefined && (gracePeriod === '' || !Number.isInteger(given)))
		throw new CommandError(`--grace-period: must be a whole number, not "${gracePeriod}"`);
	if (now && given !== undefined)
		throw new CommandError('--now and --grace-period cannot be specified together');
	const asked = now ? 1 : given !== undefined && given < 0 ? undefined : given;
	if (force && asked !== undefined && asked > 0)
		throw new CommandError('--force and --grace-period greater than 0 cannot be specified together');
	// Without --force nothing is taken from the API before its processes are known to have ended.
	const grace = force ? (asked ?? 0) : asked === 0 ? 1 : asked;
	return { propagationPolicy, ...(grace !== undefined && { gracePeriodSeconds: grace }) };
}

/** Whether to wait until everything is gone. Throws a CommandError for what is neither yes nor no. */
export function waitsFor({ wait = true }: DeletionFlags): boolean {
	if (typeof wait === 'boolean') return wait;
	if (wait === 'true' || wait === 'false') return wait === 'true';
	throw new CommandError(`--wait: must be true or false, not "${wait}"; write --wait=true`);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** How long to wait, in milliseconds; undefined: for ever. */
export function timeoutOf({ timeout }: DeletionFlags): number | undefined {
	if (timeout === undefined || timeout === '0' || timeout === '0s') return undefined;
	const parts = [...timeout.matchAll(/(\d+)(ms|[smh])/g)];
	if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== timeout)
		throw new CommandError(`--timeout: must be a length of time such as 30s or 5m, not "${timeout}"`);
	return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}
