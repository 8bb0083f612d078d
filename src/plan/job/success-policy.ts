import type { SuccessPolicy, SuccessPolicyRule } from '../../api/batch/job/schema.ts';
import { IndexSet } from './indexes.ts';

/** The place of the first rule of the success policy that `succeeded` satisfies, or undefined. */
export function matchSuccessPolicy(
	policy: SuccessPolicy | undefined,
	succeeded: IndexSet,
	completions: number,
): number | undefined {
	if (!policy || succeeded.size === 0) return undefined;
	const place = policy.rules.findIndex((rule) => isMet(rule, succeeded, completions));
	return place < 0 ? undefined : place;
}

function isMet(rule: SuccessPolicyRule, succeeded: IndexSet, completions: number): boolean {
	const { succeededIndexes, succeededCount } = rule;
	if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
	const wanted = IndexSet.parse(succeededIndexes, completions);
	if (wanted.size === 0) return false;
	const have = wanted.sizeOfIntersection(succeeded);
	return have === wanted.size || (succeededCount !== undefined && have >= succeededCount);
}
