import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';

/** Something about a Pod or a Job that its user should know; what has the same key is the same news. */
export interface News {
	readonly key: string;
	readonly text: string;
	/** Set where no program stands for the container's image, which the user may mend by naming a command. */
	readonly concernsImage?: boolean;
}

/** Why a Pod does not get on, where it does not. */
export function newsOf(pod: Pod): readonly News[] {
	const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
	return [
		...unschedulable(pod),
		...[...initContainerStatuses, ...containerStatuses].flatMap((status) => waitOf(pod, status)),
	];
}

function unschedulable({ metadata, status }: Pod): readonly News[] {
	const condition = status.conditions?.find(
		({ type, status: value }) => type === 'PodScheduled' && value === 'False',
	);
	if (!condition) return [];
	const { reason = '', message = '' } = condition;
	// The Pods of a Job are all alike: what one waits for, all wait for.
	return [
		{ key: `${ownerOf(metadata)} ${reason} ${message}`, text: `pod/${metadata.name}: ${reason}: ${message}` },
	];
}

/** Waiting that is part of every start, or follows a failure (which failed-runs.ts tells). */
const USUAL_WAITS: ReadonlySet<string> = new Set([
	'',
	'ContainerCreating',
	'PodInitializing',
	'CrashLoopBackOff',
]);

/** Those of a container that has not been made yet. */
const BEFORE_START: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

function waitOf({ metadata }: Pod, { name, state }: ContainerStatus): readonly News[] {
	const { reason = '', message = '' } = state?.waiting ?? {};
	// The node agent adds a message only if the start is blocked, as with a volume that cannot be mounted.
	const isHeldUp = message !== '' && BEFORE_START.has(reason);
	if (USUAL_WAITS.has(reason) && !isHeldUp) return [];
	const who = `pod/${metadata.name}: ${name}`;
	// First ErrImagePull says why, then ImagePullBackOff that it will be tried again: one piece of news.
	const concernsImage = /^(ErrImagePull|ImagePullBackOff)$/.test(reason);
	const key = `${ownerOf(metadata)} ${name} ${concernsImage ? 'image' : reason}`;
	return [{ key, text: `${who}: ${reason}: ${message}`, ...(concernsImage && { concernsImage }) }];
}

function ownerOf({ ownerReferences, uid }: Pod['metadata']): string {
	return ownerReferences?.find(({ controller }) => controller)?.uid ?? uid ?? '';
}
