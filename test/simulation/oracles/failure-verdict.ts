import type { PodFailurePolicy, PodFailurePolicyRule } from '../../../src/api/batch/job/schema.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';

/**
 * The action of a Job's pod failure policy for a failed Pod; undefined if no rule matches. Written without the
 * controller's code, so that a fault in that is visible.
 */
export function verdictOn(
	pod: Pod,
	policy: PodFailurePolicy | undefined,
): PodFailurePolicyRule['action'] | undefined {
	return policy?.rules.find((rule) => matchesExit(rule, pod) || matchesCondition(rule, pod))?.action;
}

function matchesExit({ onExitCodes }: PodFailurePolicyRule, { status }: Pod): boolean {
	if (!onExitCodes) return false;
	// Upstream looks at init containers too (`matchOnExitCodes`), so that the end of a sidecar can match a rule.
	const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
	const codes = statuses.map(({ state }) => state?.terminated?.exitCode ?? 0);
	const isIn = (code: number): boolean => onExitCodes.values.includes(code);
	return codes.some((code) => code !== 0 && isIn(code) === (onExitCodes.operator === 'In'));
}

function matchesCondition({ onPodConditions = [] }: PodFailurePolicyRule, { status }: Pod): boolean {
	return (status.conditions ?? []).some((condition) =>
		onPodConditions.some(({ type, status: value }) => type === condition.type && value === condition.status),
	);
}
