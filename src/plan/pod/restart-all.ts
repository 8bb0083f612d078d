/**
 * Restarting all containers of a Pod in place, because one of them ended in a way that a rule of its own
 * answers with `RestartAllContainers`.
 *
 * 1. It is first told (the condition AllContainersRestarting is True), then everything that runs is stopped, then
 *    all attempts are removed from the runtime, those that caused it last, so that an agent that
 *    comes back in between goes on with it.
 * 2. Once nothing is left in the runtime, each container that had run is told as waiting with one restart more
 *    and the condition as False; only then does the Pod begin anew, with its init containers and in the same sandbox.
 * 3. The Pod does not fail and there is no crash loop delay; one restart in {@link PACE_MS} is the limit.
 */
import type { Container, ContainerStatus, Pod, PodSpec } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { ContainerRemoval, ContainerStop } from './plan.ts';
import { ruleFor } from './restart.ts';
import { type Attempt, type PodSnapshot, statusOf } from './snapshot.ts';

/** The condition that tells that all containers are being restarted. */
export const RESTARTING = 'AllContainersRestarting';

/** The reason in the states of containers that were removed to be restarted. */
export const REMOVED_REASON = 'RestartingAllContainers';
const REMOVED_MESSAGE = 'The container is removed because RestartAllContainers in place';

/** Upstream's kubelet looks about once a second; a Pod that restarts itself at once is held to that pace. */
export const PACE_MS = 1000;

/** What a container gets to end by itself when all are restarted: what the kubelet gives at the least. */
const GRACE_SECONDS = 2;

/** Whether any container may have all restarted; such a Pod always has the condition. */
export function couldRestartAll({ containers, initContainers = [] }: PodSpec): boolean {
	return [...containers, ...initContainers].some(({ restartPolicyRules = [] }) =>
		restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
	);
}

/** Whether an end with this exit code has all containers of the Pod restarted. */
export function restartsAll(container: Container, exitCode: number): boolean {
	return ruleFor(container, exitCode)?.action === 'RestartAllContainers';
}

/** Whether the Pod has been told to restart all containers, and not yet to begin anew. */
export function isRestartingAll({ status }: Pod): boolean {
	return status.conditions?.some(({ type, status }) => type === RESTARTING && status === 'True') ?? false;
}

/** Whether a container has ended so that all are to be restarted. */
export function wantsRestartOfAll(seen: PodSnapshot): boolean {
	const { pod } = seen;
	if (!couldRestartAll(pod.spec)) return false;
	return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((container) => {
		const last = seen.attempts.get(container.name)?.at(-1);
		if (last?.state === 'exited') return restartsAll(container, last.exitCode);
		const told = last ? undefined : statusOf(pod, container.name)?.state?.terminated;
		return told !== undefined && restartsAll(container, told.exitCode);
	});
}

/** When all may be restarted once more, if that is later than `now`. */
export function restartOfAllDue({ pod, now }: PodSnapshot): number | undefined {
	const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status;
	const restartedBefore = [...containerStatuses, ...initContainerStatuses].some(
		({ lastState }) => lastState?.terminated?.reason === REMOVED_REASON,
	);
	if (!restartedBefore) return undefined;
	const due = (timeOf(conditions.find(({ type }) => type === RESTARTING)?.lastTransitionTime) ?? 0) + PACE_MS;
	return due > now ? due : undefined;
}

/** What is to be done so that nothing of the Pod's containers is left in the runtime. */
export interface ClearingOut {
	readonly stops: readonly ContainerStop[];
	readonly removals: readonly ContainerRemoval[];
}

/** Stops everything first, then removes it. Both are empty once nothing is left. */
export function clearOut({ pod, attempts }: PodSnapshot): ClearingOut {
	const { containers, initContainers = [] } = pod.spec;
	const because = 'all containers of the Pod are restarted';
	const stops: ContainerStop[] = [];
	const victims: ContainerRemoval[] = [];
	const causes: ContainerRemoval[] = [];
	for (const container of [...containers, ...initContainers]) {
		const { name } = container;
		for (const attempt of attempts.get(name) ?? []) {
			const { id } = attempt;
			if (attempt.state === 'running')
				stops.push({ id, name, graceSeconds: GRACE_SECONDS, because, message: 'killing' });
			(causedIt(container, attempt) ? causes : victims).push({ id, name, because });
		}
	}
	return stops.length > 0 ? { stops, removals: [] } : { stops, removals: [...victims, ...causes] };
}

function causedIt(container: Container, attempt: Attempt): boolean {
	return attempt.state === 'exited' && restartsAll(container, attempt.exitCode);
}

/**
 * What is told of a container that was removed to be restarted; undefined where it had not run, and so waits as
 * before.
 */
export function removedStatus(
	pod: Pod,
	name: string,
): Pick<ContainerStatus, 'state' | 'lastState' | 'restartCount'> | undefined {
	const before = statusOf(pod, name);
	if (!before?.state || before.state.waiting) return undefined;
	const told = { reason: REMOVED_REASON, message: REMOVED_MESSAGE };
	return {
		state: { waiting: told },
		lastState: { terminated: { exitCode: 137, ...told } },
		restartCount: before.restartCount + 1,
	};
}
