import { fieldInvalid } from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';

/** The annotation with which users say which Pods of a workload should be deleted first: those of low cost. */
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

type Annotations = Readonly<Record<string, string>> | undefined;

/** The deletion cost in the annotations; 0 if there is none or it is invalid (upstream: GetDeletionCostFromPodAnnotations). */
export function deletionCostOf(annotations: Annotations): number {
	const text = annotations?.[DELETION_COST];
	return text !== undefined && isCost(text) ? Number(text) : 0;
}

/** The error of an invalid deletion cost in the annotations at `path`. */
export function validateDeletionCost(annotations: Annotations, path: FieldPath): readonly FieldError[] {
	const text = annotations?.[DELETION_COST];
	if (text === undefined || isCost(text)) return [];
	return [fieldInvalid(path.key(DELETION_COST), text, 'must be a 32bit integer')];
}

/** Whether Go's strconv.ParseInt accepts the text as an int32 without a plus sign or a leading zero. */
function isCost(text: string): boolean {
	if (!/^(0|-[0-9]{1,30}|[1-9][0-9]{0,9})$/.test(text)) return false;
	return Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;
}
