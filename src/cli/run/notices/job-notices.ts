import type { Event } from '../../../api/core/event/schema.ts';
import type { RunNotice } from './pod-notices.ts';

/** The reason of the Events in which the Job controller reports that it could not create a Pod, as upstream. */
export const FAILED_CREATE = 'FailedCreate';

/**
 * The notice that the API server rejected a Pod of a Job. Notices with the same cause have the same key for
 * every retry of the controller and every index: the quoted name of the Pod, which differs per index, is not
 * part of the key.
 */
export function jobNoticeOf({ involvedObject, reason = '', message = '' }: Event): RunNotice {
	const cause = message.replace(/"[^"]*"/, '');
	return {
		key: `${involvedObject.uid} ${reason} ${cause}`,
		text: `job/${involvedObject.name}: ${reason}: ${message.trim()}`,
	};
}
