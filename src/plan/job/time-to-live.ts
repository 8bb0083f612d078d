import type { Job } from '../../api/batch/job/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { terminalCondition } from './conditions.ts';

/**
 * When the TTL controller must delete a finished Job, in ms since the epoch: `ttlSecondsAfterFinished` after
 * the transition of its terminal condition, as upstream. Undefined for a Job that is not finished, has no TTL,
 * or is being deleted already.
 */
export function expiryOf(job: Job): number | undefined {
	const { metadata, spec } = job;
	const { ttlSecondsAfterFinished: ttl } = spec;
	if (ttl === undefined || metadata.deletionTimestamp !== undefined) return undefined;
	const at = timeOf(terminalCondition(job)?.lastTransitionTime);
	return at === undefined ? undefined : at + ttl * 1000;
}
