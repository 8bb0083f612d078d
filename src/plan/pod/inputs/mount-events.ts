import type { EventText } from '../../../api/core/event/event-text.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../../base/queue/backoff.ts';

/** The events about volumes that cannot be set up, and when that is tried again. */

/** The first words of upstream's event about a volume, by the step that failed. */
export type MountStep = 'MountVolume.SetUp failed' | 'MountVolume.NewMounter initialization failed';

/** The event about a volume that could not be set up, in upstream's form. */
export function mountFailure(
	volume: string,
	why: string,
	step: MountStep = 'MountVolume.SetUp failed',
): EventText {
	return { type: 'Warning', reason: 'FailedMount', message: `${step} for volume "${volume}" : ${why}` };
}

/**
 * The event about volumes whose claims cannot be used yet (upstream: `WaitForAttachAndMount`). `unmounted` are all
 * volumes that are not set up, `claims` those of them that have such a claim, with the reason of each.
 */
export function claimFailure(unmounted: readonly string[], claims: ReadonlyMap<string, string>): EventText {
	const names = (all: Iterable<string>): string => `[${[...all].sort().join(' ')}]`;
	const message =
		`Unable to attach or mount volumes: unmounted volumes=${names(unmounted)}, unattached volumes=[], ` +
		`failed to process volumes=${names(claims.keys())}: ${[...claims.values()].join('; ')}`;
	return { type: 'Warning', reason: 'FailedMount', message };
}

/** The backoff of upstream's volume manager (pkg/util/goroutinemap/exponentialbackoff), and of its wait for claims. */
const SET_UP_BACKOFF: BackoffPolicy = { baseMs: 500, capMs: 122_000 };
const CLAIM_RETRY_MS = 10_000;

/**
 * Time until volumes that failed are set up again, in ms, after this number of failures in a row. Earlier if an object
 * that they need changes.
 */
export function mountRetryMs(failures: number, hasClaimFailure: boolean): number {
	return hasClaimFailure ? CLAIM_RETRY_MS : backoffDelayMs(SET_UP_BACKOFF, failures);
}
