import { ApiError } from '../../api/errors/api-error.ts';
import type { LabelSelector, Requirement, Selector } from '../../api/meta/selector.ts';
import { parseSelector } from '../../api/meta/selector-text.ts';
import { podDisruptionBudgets } from '../../api/policy/poddisruptionbudget/definition.ts';
import { quote } from '../../base/quote.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of `create poddisruptionbudget`. */
export interface DisruptionBudgetFlags extends CreateFlags {
	readonly selector?: string;
	readonly minAvailable?: string;
	readonly maxUnavailable?: string;
}

/** `stint create poddisruptionbudget NAME`. Resolves to the exit code. */
export async function createDisruptionBudget(
	context: CliContext,
	names: readonly string[],
	flags: DisruptionBudgetFlags,
): Promise<number> {
	const name = oneName(names, 'poddisruptionbudget');
	const { selector = '', minAvailable = '', maxUnavailable = '' } = flags;
	if (selector === '') throw new CommandError('a selector must be specified');
	checkAmounts(minAvailable, maxUnavailable);
	const spec = {
		...(minAvailable !== '' && { minAvailable: intOrString(minAvailable) }),
		selector: labelSelectorOf(selector),
		...(maxUnavailable !== '' && { maxUnavailable: intOrString(maxUnavailable) }),
	};
	const failure = 'failed to create poddisruptionbudgets: ';
	const manifest = { metadata: { name }, spec };
	return createNew(context, { definition: podDisruptionBudgets, manifest, failure }, flags);
}

function checkAmounts(minAvailable: string, maxUnavailable: string): void {
	if (minAvailable === '' && maxUnavailable === '')
		throw new CommandError('one of min-available or max-unavailable must be specified');
	if (minAvailable !== '' && maxUnavailable !== '')
		throw new CommandError('min-available and max-unavailable cannot be both specified');
	for (const [flag, text] of Object.entries({
		'min-available': minAvailable,
		'max-unavailable': maxUnavailable,
	}))
		if (text !== '' && !/^[0-9]+%?$/.test(text))
			throw new CommandError(`invalid format specified for ${flag}`);
}

function intOrString(text: string): number | string {
	return text.endsWith('%') ? text : Number(text);
}

/** Upstream: ParseToLabelSelector of k8s.io/apimachinery. */
function labelSelectorOf(text: string): LabelSelector {
	const requirements = parsed(text);
	const isEqual = ({ operator }: Requirement): boolean => operator === '=' || operator === '==';
	const labels = requirements.filter(isEqual).map(({ key, values }) => [key, values[0] ?? '']);
	const expressions = requirements.filter((each) => !isEqual(each)).map(expressionOf);
	return {
		...(labels.length > 0 && { matchLabels: Object.fromEntries(labels) }),
		...(expressions.length > 0 && { matchExpressions: expressions }),
	};
}

function parsed(text: string): Selector {
	try {
		return parseSelector(text);
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		throw new CommandError(`couldn't parse the selector string "${text}": ${error.message}`);
	}
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const OPERATORS: Readonly<Record<string, Expression['operator']>> = {
	in: 'In',
	notin: 'NotIn',
	exists: 'Exists',
	'!': 'DoesNotExist',
};

function expressionOf({ key, operator, values }: Requirement): Expression {
	const word = OPERATORS[operator];
	if (word !== undefined) return { key, operator: word, ...(values.length > 0 && { values }) };
	if (operator !== '>' && operator !== '<')
		throw new CommandError(`${quote(operator)} is not a valid label selector operator`);
	const name = operator === '>' ? 'gt' : 'lt';
	throw new CommandError(`${quote(name)} isn't supported in label selectors`);
}
