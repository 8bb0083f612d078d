import type { SuccessPolicy, SuccessPolicyRule } from '../../api/batch/job/schema.ts';
import { IndexSet } from './index-set.ts';

/** The index of the first rule of the success policy that the succeeded indexes satisfy; undefined if none. */
export function matchSuccessPolicy(
	policy: SuccessPolicy | undefined,
	succeeded: IndexSet,
	completions: number,
): number | undefined {
	if (!policy || succeeded.size === 0) return undefined;
	const ruleIndex = policy.rules.findIndex((rule) => isMet(rule, succeeded, completions));
	return ruleIndex < 0 ? undefined : ruleIndex;
}

function isMet(rule: SuccessPolicyRule, succeeded: IndexSet, completions: number): boolean {
	const { succeededIndexes, succeededCount } = rule;
	if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
	const wanted = IndexSet.parse(succeededIndexes, completions);
	if (wanted.size === 0) return false;
	const have = wanted.sizeOfIntersection(succeeded);
	return have === wanted.size || (succeededCount !== undefined && have >= succeededCount);
}
