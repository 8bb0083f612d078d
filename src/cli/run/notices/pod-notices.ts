import { MISSING_PROGRAM } from '../../../api/contract/missing-program.ts';
import type { ContainerStatus, Pod } from '../../../api/core/pod/schema.ts';
import { humanDuration } from '../../../api/meta/duration.ts';
import { START_BACKOFF } from '../../../plan/pod/steps.ts';

/** A message about a Pod or Job for the user, printed once per key. */
export interface RunNotice {
	readonly key: string;
	readonly text: string;
	/** Set if the container's image stands for no program; the user can fix that by specifying a command. */
	readonly lacksProgram?: boolean;
}

/** Why a Pod does not start: it cannot be scheduled, or a container waits for something unusual. */
export function podNoticesOf(pod: Pod): readonly RunNotice[] {
	const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
	return [
		...unschedulable(pod),
		...[...initContainerStatuses, ...containerStatuses].flatMap((status) => waitOf(pod, status)),
	];
}

function unschedulable({ metadata, status }: Pod): readonly RunNotice[] {
	const condition = status.conditions?.find(
		({ type, status: value }) => type === 'PodScheduled' && value === 'False',
	);
	if (!condition) return [];
	const { reason = '', message = '' } = condition;
	// The Pods of a Job have the same template and wait for the same reason, so the key contains the Job.
	return [
		{ key: `${ownerOf(metadata)} ${reason} ${message}`, text: `pod/${metadata.name}: ${reason}: ${message}` },
	];
}

/** Waiting reasons of every start, and of the backoff after a failure, which failed-runs.ts reports. */
const USUAL_WAITS: ReadonlySet<string> = new Set([
	'',
	'ContainerCreating',
	'PodInitializing',
	'CrashLoopBackOff',
]);

/** Waiting reasons of a container that the node agent has not created yet. */
const BEFORE_START: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** What follows a failed pull. Nothing else is printed until one succeeds, which may be never. */
const PULL_RETRY = `; retried with a back-off of ${humanDuration(START_BACKOFF.baseMs)} to ${humanDuration(START_BACKOFF.capMs)}`;

function waitOf({ metadata }: Pod, { name, state }: ContainerStatus): readonly RunNotice[] {
	const { reason = '', message = '' } = state?.waiting ?? {};
	// The node agent sets a message only if the start is blocked, for example by a volume that cannot be mounted.
	const isHeldUp = message !== '' && BEFORE_START.has(reason);
	if (USUAL_WAITS.has(reason) && !isHeldUp) return [];
	const who = `pod/${metadata.name}: ${name}`;
	// ErrImagePull has the cause; the ImagePullBackOff after it only announces the retry. Both have the same key.
	const concernsImage = /^(ErrImagePull|ImagePullBackOff)$/.test(reason);
	const lacksProgram = concernsImage && message.includes(MISSING_PROGRAM);
	const key = `${ownerOf(metadata)} ${name} ${concernsImage ? 'image' : reason}`;
	const next = concernsImage ? PULL_RETRY : '';
	return [{ key, text: `${who}: ${reason}: ${message}${next}`, ...(lacksProgram && { lacksProgram }) }];
}

function ownerOf({ ownerReferences, uid }: Pod['metadata']): string {
	return ownerReferences?.find(({ controller }) => controller)?.uid ?? uid ?? '';
}
