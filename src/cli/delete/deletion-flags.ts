import type { DeletionRequest } from '../../client/client.ts';
import { parseDurationFlag, parseInt64Flag } from '../args/parsed-flag.ts';
import { CommandError } from '../context.ts';

/** The flags of `delete` that control how the server deletes and how long the command waits. */
export interface DeletionFlags {
	readonly cascade: string | boolean;
	readonly gracePeriod?: string;
	readonly now?: boolean;
	readonly force?: boolean;
	readonly timeout?: string;
	readonly wait?: boolean | string;
}

const PROPAGATION: Readonly<Record<string, NonNullable<DeletionRequest['propagationPolicy']>>> = {
	background: 'Background',
	foreground: 'Foreground',
	orphan: 'Orphan',
	// `--cascade=true|false` was kubectl's form before 1.20.
	true: 'Background',
	false: 'Orphan',
};

/**
 * The options of the delete requests, by kubectl's rules. Throws a CommandError for invalid or contradicting
 * flags.
 */
export function deletionOf({ cascade, gracePeriod, now, force }: DeletionFlags): DeletionRequest {
	const propagationPolicy = PROPAGATION[String(cascade)];
	if (!propagationPolicy)
		throw new CommandError(
			`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`,
		);
	const flag = { flag: '--grace-period', command: 'delete' };
	const given = gracePeriod === undefined ? undefined : Number(parseInt64Flag(gracePeriod, flag));
	if (now && given !== undefined)
		throw new CommandError('--now and --grace-period cannot be specified together');
	const asked = now ? 1 : given !== undefined && given < 0 ? undefined : given;
	if (force && asked !== undefined && asked > 0)
		throw new CommandError('--force and --grace-period greater than 0 cannot be specified together');
	// Only with --force a Pod is deleted from the API before its processes have ended: a grace period of 0 without
	// --force becomes 1, as in kubectl.
	const grace = force ? (asked ?? 0) : asked === 0 ? 1 : asked;
	return { propagationPolicy, ...(grace !== undefined && { gracePeriodSeconds: grace }) };
}

/** Whether to wait until the objects are gone. Throws a CommandError for a value other than true or false. */
export function waitsFor({ wait = true }: DeletionFlags): boolean {
	if (typeof wait === 'boolean') return wait;
	if (wait === 'true' || wait === 'false') return wait === 'true';
	throw new CommandError(`--wait: must be true or false, not "${wait}"; write --wait=true`);
}

/** How long to wait, in milliseconds; undefined without a limit. Throws a CommandError. */
export function timeoutOf(
	{ timeout = '0' }: Pick<DeletionFlags, 'timeout'>,
	command: string,
): number | undefined {
	const ms = parseDurationFlag(timeout, { flag: '--timeout', command });
	return ms === 0 ? undefined : ms;
}
