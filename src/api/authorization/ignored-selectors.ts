import { ApiError } from '../errors/api-error.ts';
import { parseFieldTerms } from '../meta/field-selector.ts';
import { parseSelector } from '../meta/selector-text.ts';
import type { AccessResourceAttributes } from './access-spec.ts';

/**
 * The evaluationError of a review whose selectors cannot be understood (upstream: BuildEvaluationError). Selectors only
 * limit an action, so the authorizer decides without them; empty if all are understood.
 */
export function ignoredSelectors(attributes: AccessResourceAttributes | undefined): string {
	const { fieldSelector, labelSelector } = attributes ?? {};
	const found = [
		fieldSelector && textOf('fieldSelector', fieldExtent(fieldSelector)),
		labelSelector && textOf('labelSelector', labelExtent(labelSelector)),
	];
	return found.filter((text) => text !== undefined).join('; ');
}

/** How much of a selector is ignored. */
type Extent = 'ignored' | 'partially ignored' | undefined;

function textOf(name: string, extent: Extent): string | undefined {
	return extent && `spec.resourceAttributes.${name} ${extent} due to parse error`;
}

function fieldExtent({
	rawSelector = '',
	requirements = [],
}: NonNullable<AccessResourceAttributes['fieldSelector']>): Extent {
	if (requirements.length === 0) return unless(() => parseFieldTerms(rawSelector));
	const known = requirements.filter(
		({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') && values.length === 1,
	);
	return extentOf(known.length, requirements.length);
}

function labelExtent({
	rawSelector = '',
	requirements = [],
}: NonNullable<AccessResourceAttributes['labelSelector']>): Extent {
	if (requirements.length === 0) return unless(() => parseSelector(rawSelector));
	// Values were validated before.
	const known = requirements.filter(({ operator }) => OPERATORS.includes(operator));
	return extentOf(known.length, requirements.length);
}

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

function extentOf(known: number, all: number): Extent {
	if (known === all) return undefined;
	return known === 0 ? 'ignored' : 'partially ignored';
}

function unless(parse: () => unknown): Extent {
	try {
		parse();
		return undefined;
	} catch (error) {
		if (error instanceof ApiError) return 'ignored';
		throw error;
	}
}
