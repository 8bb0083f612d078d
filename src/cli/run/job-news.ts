import type { Event } from '../../api/core/event/schema.ts';
import type { News } from './pod-news.ts';

/** The reason of the Events that say why the Job controller could not create a Pod, as upstream has it. */
export const FAILED_CREATE = 'FailedCreate';

/**
 * Why a Job gets no Pods: the API server refused them. The news of one cause have the same key, however often the
 * controller tries again and whatever index the Pod would have had (an Indexed Job's Pods have names of their own).
 */
export function jobNewsOf({ involvedObject, reason = '', message = '' }: Event): News {
	const cause = message.replace(/"[^"]*"/, '');
	return {
		key: `${involvedObject.uid} ${reason} ${cause}`,
		text: `job/${involvedObject.name}: ${reason}: ${message.trim()}`,
	};
}
