import type { Pod, PodStatus } from './schema.ts';

/** Whether the Pod's phase is Succeeded or Failed, which never changes. */
export function hasEnded({ status }: Pick<Pod, 'status'>): boolean {
	return isFinalPhase(status.phase);
}

/** Whether a Pod in this phase has ended. */
export function isFinalPhase(phase: PodStatus['phase']): phase is 'Succeeded' | 'Failed' {
	return phase === 'Succeeded' || phase === 'Failed';
}
