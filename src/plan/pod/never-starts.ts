import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';

/** A container that is never started. */
export interface NeverStarted {
	readonly container: string;
	/** Whether no other container of the Pod has been started, so that none may fail and end the Pod or its Job. */
	readonly isOnly: boolean;
}

/**
 * A container of the Pod whose image has no name of an image (reason InvalidImageName): the node agent tries it for ever, as a
 * kubelet does. The Pod cannot succeed, unless its image is changed. Undefined if there is none, or if the Pod has a deadline,
 * which ends it.
 */
export function neverStarts({ spec, status }: Pod): NeverStarted | undefined {
	if (spec.activeDeadlineSeconds !== undefined) return undefined;
	const { initContainerStatuses = [], containerStatuses = [] } = status;
	const all = [...initContainerStatuses, ...containerStatuses];
	const found = all.find(({ state }) => state?.waiting?.reason === 'InvalidImageName');
	return found && { container: found.name, isOnly: !all.some(hasStarted) };
}

function hasStarted({ state, lastState }: ContainerStatus): boolean {
	return Boolean(state?.running || state?.terminated || lastState?.terminated);
}
