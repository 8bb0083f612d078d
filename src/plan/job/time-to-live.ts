import type { Job } from '../../api/batch/job/schema.ts';
import { timeOf } from '../../api/meta/time.ts';

/**
 * When the TTL controller must delete a finished Job, in ms since the epoch: `ttlSecondsAfterFinished` after
 * the transition of its terminal condition, as upstream. Undefined for a Job that is not finished, has no TTL,
 * or is being deleted already.
 */
export function expiryOf({ metadata, spec, status }: Job): number | undefined {
	const { ttlSecondsAfterFinished: ttl } = spec;
	if (ttl === undefined || metadata.deletionTimestamp !== undefined) return undefined;
	const finished = status.conditions?.find(
		({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
	);
	const at = timeOf(finished?.lastTransitionTime);
	return at === undefined ? undefined : at + ttl * 1000;
}
