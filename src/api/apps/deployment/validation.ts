import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	nonNegative,
	notSupported,
} from '../../errors/field-errors.ts';
import { type FieldError, type FieldPath, SPEC } from '../../errors/field-path.ts';
import {
	isPercentage,
	percentOf,
	validateAtMostAll,
	validateIntOrPercent,
} from '../../schema/int-or-percent.ts';
import { validateSelectorAndTemplate } from '../template-validation.ts';
import type { Deployment, RollingUpdate } from './schema.ts';

const STRATEGY = SPEC.child('strategy');

/** The errors of the spec of a Deployment, in upstream's order (ValidateDeploymentSpec). */
export function validateDeploymentSpec(spec: Deployment['spec']): readonly FieldError[] {
	const { replicas = 0, minReadySeconds = 0, revisionHistoryLimit = 0, progressDeadlineSeconds } = spec;
	const errors = [
		...nonNegative(SPEC.child('replicas'), replicas),
		...validateSelectorAndTemplate(spec),
		...validateStrategy(spec.strategy),
		...nonNegative(SPEC.child('minReadySeconds'), minReadySeconds),
		...nonNegative(SPEC.child('revisionHistoryLimit'), revisionHistoryLimit),
	];
	if (progressDeadlineSeconds === undefined) return errors;
	const path = SPEC.child('progressDeadlineSeconds');
	errors.push(...nonNegative(path, progressDeadlineSeconds));
	if (progressDeadlineSeconds <= minReadySeconds)
		errors.push(fieldInvalid(path, progressDeadlineSeconds, 'must be greater than minReadySeconds'));
	return errors;
}

function validateStrategy(strategy: Deployment['spec']['strategy'] = {}): readonly FieldError[] {
	const { type, rollingUpdate } = strategy;
	const path = STRATEGY.child('rollingUpdate');
	switch (type) {
		case 'Recreate':
			return rollingUpdate
				? [fieldForbidden(path, "may not be specified when strategy `type` is 'Recreate'")]
				: [];
		case 'RollingUpdate':
			return rollingUpdate
				? validateRollingUpdate(rollingUpdate, path)
				: [fieldRequired(path, 'this should be defaulted and never be nil')];
		default:
			return [notSupported(STRATEGY, strategy, ['Recreate', 'RollingUpdate'])];
	}
}

function validateRollingUpdate(
	{ maxUnavailable = 0, maxSurge = 0 }: RollingUpdate,
	path: FieldPath,
): readonly FieldError[] {
	const unavailablePath = path.child('maxUnavailable');
	const errors = [
		...validateIntOrPercent(maxUnavailable, unavailablePath),
		...validateIntOrPercent(maxSurge, path.child('maxSurge')),
	];
	if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0)
		errors.push(fieldInvalid(unavailablePath, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
	return [...errors, ...validateAtMostAll(maxUnavailable, unavailablePath)];
}

/** As upstream's getIntOrPercentValue: a text that is no percentage counts as the number that it spells, or as 0. */
function numberOf(amount: number | string): number {
	if (typeof amount === 'number') return amount;
	return (isPercentage(amount) ? percentOf(amount) : Number(amount)) || 0;
}
