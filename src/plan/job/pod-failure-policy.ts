import type { PodFailurePolicy, PodFailurePolicyRule } from '../../api/batch/job/schema.ts';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';

/** The action of a rule. */
export type FailureAction = 'Count' | 'FailIndex' | 'FailJob' | 'Ignore';

/** The decision about a Pod's failure. */
export interface FailureVerdict {
	/** Whether it counts against backoffLimit and backoffLimitPerIndex; false for the action Ignore. */
	readonly counted: boolean;
	/** The action of the rule that matched, if one did. */
	readonly action?: FailureAction;
	/** For FailJob: the message of the Job's condition. */
	readonly message?: string;
	readonly because: string;
}

const NO_POLICY: FailureVerdict = { counted: true, because: 'there is no pod failure policy' };
const NO_RULE: FailureVerdict = { counted: true, because: 'no rule of the pod failure policy matches' };

/**
 * Decides about a failed Pod: the first matching rule decides; a Pod that no rule matches is counted. The
 * messages are upstream's (pkg/controller/job/pod_failure_policy.go), since they become the message of the
 * Job's condition.
 */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
	if (!policy) return NO_POLICY;
	for (const [index, rule] of policy.rules.entries()) {
		const evidence = matchRule(rule, pod);
		if (evidence !== undefined) return verdictOf(rule, index, evidence);
	}
	return NO_RULE;
}

function verdictOf(rule: PodFailurePolicyRule, index: number, evidence: string): FailureVerdict {
	const because = `${evidence} matching ${rule.action} rule at index ${index}`;
	switch (rule.action) {
		case 'Ignore':
			return { counted: false, action: 'Ignore', because };
		case 'FailJob':
			return { counted: true, action: 'FailJob', message: because, because };
		case 'FailIndex':
			return { counted: true, action: 'FailIndex', because };
		default:
			return { counted: true, action: 'Count', because };
	}
}

/** The start of upstream's message, which names what the rule matches; undefined if it does not match. */
function matchRule(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
	const place = `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
	if (rule.onExitCodes) {
		const container = findExit(rule.onExitCodes, pod);
		const exitCode = container?.state?.terminated?.exitCode;
		return container && `Container ${container.name} for pod ${place} failed with exit code ${exitCode}`;
	}
	const patterns = rule.onPodConditions ?? [];
	const condition = pod.status.conditions?.find(({ type, status }) =>
		patterns.some((pattern) => pattern.type === type && pattern.status === status),
	);
	return condition && `Pod ${place} has condition ${condition.type}`;
}

/** The first container with a matching exit code; init containers are tried last. */
function findExit(
	requirement: NonNullable<PodFailurePolicyRule['onExitCodes']>,
	pod: Pod,
): ContainerStatus | undefined {
	const matches = ({ name, state }: ContainerStatus): boolean => {
		const exitCode = state?.terminated?.exitCode ?? 0;
		if (exitCode === 0) return false;
		if (requirement.containerName !== undefined && requirement.containerName !== name) return false;
		if (requirement.operator === 'In') return requirement.values.includes(exitCode);
		return requirement.operator === 'NotIn' && !requirement.values.includes(exitCode);
	};
	return pod.status.containerStatuses?.find(matches) ?? pod.status.initContainerStatuses?.find(matches);
}
