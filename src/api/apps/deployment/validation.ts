import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	nonNegative,
	notSupported,
} from '../../errors/field-errors.ts';
import { type FieldError, type FieldPath, SPEC } from '../../errors/field-path.ts';
import { formText } from '../../meta/names.ts';
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
		...validateAmount(unavailablePath, maxUnavailable),
		...validateAmount(path.child('maxSurge'), maxSurge),
	];
	if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0)
		errors.push(fieldInvalid(unavailablePath, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
	if (isPercentage(maxUnavailable) && numberOf(maxUnavailable) > 100)
		errors.push(fieldInvalid(unavailablePath, maxUnavailable, 'must not be greater than 100%'));
	return errors;
}

/** The errors of an amount that is a whole number or a percentage (upstream: ValidatePositiveIntOrPercent). */
function validateAmount(path: FieldPath, amount: number | string): readonly FieldError[] {
	if (typeof amount === 'number') return nonNegative(path, amount);
	if (isPercentage(amount)) return [];
	const text = "a valid percent string must be a numeric string followed by an ending '%'";
	return [fieldInvalid(path, amount, formText(text, '[0-9]+%', '1%', '93%'))];
}

function isPercentage(amount: number | string): boolean {
	return typeof amount === 'string' && /^[0-9]+%$/.test(amount);
}

/** As upstream's getIntOrPercentValue: a text that is no percentage counts as the number that it spells, or as 0. */
function numberOf(amount: number | string): number {
	if (typeof amount === 'number') return amount;
	return Number(isPercentage(amount) ? amount.slice(0, -1) : amount) || 0;
}
