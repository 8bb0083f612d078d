/**
 * Restarts all containers of a Pod in place, after a container has ended with an exit code for which one of its
 * restartPolicyRules has the action `RestartAllContainers`.
 *
 * 1. The agent first writes the condition AllContainersRestarting as True, then stops all running containers,
 *    then removes all attempts from the runtime, those that triggered the restart last. So an agent that
 *    restarts in between resumes the sequence: it finds the condition or the trigger.
 * 2. When the runtime has no attempts left, the agent writes each container that had run as waiting with one
 *    more restart, and the condition as False. Only then does it start the Pod's init containers again, in the
 *    same sandbox.
 * 3. The Pod does not fail, and there is no crash loop backoff. The limit is one restart in {@link PACE_MS}.
 */

import type { Container, ContainerStatus, Pod, PodSpec } from '../../../api/core/pod/schema.ts';
import { findCondition, isConditionTrue } from '../../../api/meta/conditions.ts';
import { timeOf } from '../../../api/meta/time.ts';
import type { ContainerRemoval } from '../plan.ts';
import { type Attempt, lastStatusOf, type PodSnapshot } from '../snapshot.ts';
import { joined, type Stops, stopOf } from '../stopping.ts';
import { ruleFor } from './restart.ts';

/** The condition that reports that all containers are being restarted. */
export const RESTARTING = 'AllContainersRestarting';

/** The reason in the states of containers that were removed for a restart of all containers. */
export const REMOVED_REASON = 'RestartingAllContainers';
const REMOVED_MESSAGE = 'The container is removed because RestartAllContainers in place';

/**
 * Minimum interval between two restarts of all containers, as upstream's kubelet syncs a Pod about once a
 * second.
 */
export const PACE_MS = 1000;

/** The grace period when all containers are restarted: the minimum that the kubelet gives. */
const GRACE_SECONDS = 2;

/** Whether a rule of any container has the action RestartAllContainers; such a Pod always has the condition. */
export function couldRestartAll({ containers, initContainers = [] }: PodSpec): boolean {
	return [...containers, ...initContainers].some(({ restartPolicyRules = [] }) =>
		restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
	);
}

/** Whether an end of the container with this exit code restarts all containers of the Pod. */
export function restartsAll(container: Container, exitCode: number): boolean {
	return ruleFor(container, exitCode)?.action === 'RestartAllContainers';
}

/** Whether the Pod's status reports that the restart of all containers is in progress. */
export function isRestartingAll({ status }: Pod): boolean {
	return isConditionTrue(status.conditions, RESTARTING);
}

/** Whether a container has ended with an exit code that restarts all containers. */
export function wantsRestartOfAll(seen: PodSnapshot): boolean {
	const { pod } = seen;
	if (!couldRestartAll(pod.spec)) return false;
	return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((container) => {
		const last = seen.attempts.get(container.name)?.at(-1);
		if (last?.state === 'exited') return restartsAll(container, last.exitCode);
		const reported = last ? undefined : lastStatusOf(pod, container.name)?.state?.terminated;
		return reported !== undefined && restartsAll(container, reported.exitCode);
	});
}

/** When all containers may be restarted again, in ms since the epoch; undefined if they may be now. */
export function restartOfAllDue({ pod, now }: PodSnapshot): number | undefined {
	const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status;
	const restartedBefore = [...containerStatuses, ...initContainerStatuses].some(
		({ lastState }) => lastState?.terminated?.reason === REMOVED_REASON,
	);
	if (!restartedBefore) return undefined;
	const due = (timeOf(findCondition(conditions, RESTARTING)?.lastTransitionTime) ?? 0) + PACE_MS;
	return due > now ? due : undefined;
}

/** The steps that remove all attempts of the Pod's containers from the runtime. */
export interface ClearingOut extends Stops {
	readonly removals: readonly ContainerRemoval[];
}

/**
 * Stops all running containers first, and then removes all attempts. Both lists are empty when no attempts are
 * left.
 */
export function clearOut(seen: PodSnapshot): ClearingOut {
	const { pod, attempts } = seen;
	const { containers, initContainers = [] } = pod.spec;
	const because = 'all containers of the Pod are restarted';
	const order = { graceSeconds: GRACE_SECONDS, because, message: 'killing' };
	const steps: Stops[] = [];
	const others: ContainerRemoval[] = [];
	const triggers: ContainerRemoval[] = [];
	for (const container of [...containers, ...initContainers]) {
		const { name } = container;
		steps.push(stopOf(seen, container, order));
		for (const attempt of attempts.get(name) ?? []) {
			const { id } = attempt;
			(isTrigger(container, attempt) ? triggers : others).push({ id, name, because });
		}
	}
	const stopping = joined(steps);
	return { ...stopping, removals: stopping.stops.length > 0 ? [] : [...others, ...triggers] };
}

/** Whether the attempt ended with an exit code that restarts all containers. */
function isTrigger(container: Container, attempt: Attempt): boolean {
	return attempt.state === 'exited' && restartsAll(container, attempt.exitCode);
}

/**
 * The status of a container that was removed for a restart of all containers; undefined if it had not run,
 * because its status does not change then.
 */
export function removedStatus(
	pod: Pod,
	name: string,
): Pick<ContainerStatus, 'state' | 'lastState' | 'restartCount'> | undefined {
	const before = lastStatusOf(pod, name);
	if (!before?.state || before.state.waiting) return undefined;
	const reported = { reason: REMOVED_REASON, message: REMOVED_MESSAGE };
	return {
		state: { waiting: reported },
		lastState: { terminated: { exitCode: 137, ...reported } },
		restartCount: before.restartCount + 1,
	};
}
