import type { Int64 } from '../../base/json/json.ts';
import { fieldInvalid, nonNegative } from '../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../errors/field-path.ts';

const STATUS = new FieldPath('status');
const AMONG_REPLICAS = 'cannot be greater than status.replicas';

/** The counts in the status of a workload; a kind has some of them. */
interface ReplicaCounts {
	readonly replicas?: number;
	readonly readyReplicas?: number;
	readonly availableReplicas?: number;
	readonly fullyLabeledReplicas?: number;
	readonly updatedReplicas?: number;
	readonly unavailableReplicas?: number;
	readonly terminatingReplicas?: number;
	readonly collisionCount?: number;
	readonly observedGeneration?: Int64;
}

/**
 * The errors of the counts in a status: those in `fields` must not be negative, and must fit together (upstream:
 * ValidateReplicaSetStatus, ValidateDeploymentStatus, ValidateReplicationControllerStatus). `part` is the count that only
 * one of the kinds has.
 */
export function validateReplicaCounts(
	status: ReplicaCounts,
	fields: readonly (keyof ReplicaCounts)[],
	part: 'fullyLabeledReplicas' | 'updatedReplicas',
): readonly FieldError[] {
	const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
	const errors: FieldError[] = fields.flatMap((field) =>
		nonNegative(STATUS.child(field), status[field] ?? 0),
	);
	for (const field of [part, 'readyReplicas', 'availableReplicas'] as const) {
		const count = status[field] ?? 0;
		if (count > replicas) errors.push(fieldInvalid(STATUS.child(field), count, AMONG_REPLICAS));
	}
	if (availableReplicas > readyReplicas) {
		const detail = 'cannot be greater than readyReplicas';
		errors.push(fieldInvalid(STATUS.child('availableReplicas'), availableReplicas, detail));
	}
	return errors;
}
