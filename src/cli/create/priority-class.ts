import { priorityClasses } from '../../api/scheduling/priorityclass/definition.ts';
import { quote } from '../../base/quote.ts';
import { calledAs } from '../called-as.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of `create priorityclass`. */
export interface PriorityClassFlags extends CreateFlags {
	readonly value?: string;
	readonly globalDefault?: boolean | string;
	readonly description?: string;
	readonly preemptionPolicy?: string;
}

/** `stint create priorityclass NAME`. Resolves to the exit code. */
export async function createPriorityClass(
	context: CliContext,
	names: readonly string[],
	flags: PriorityClassFlags,
): Promise<number> {
	const value = int32(flags.value ?? '0');
	const globalDefault = truth(flags.globalDefault ?? false);
	const { description = '', preemptionPolicy = 'PreemptLowerPriority' } = flags;
	const metadata = { name: oneName(names, 'priorityclass') };
	const manifest = { metadata, value, globalDefault, description, preemptionPolicy };
	const failure = 'failed to create priorityclass: ';
	return createNew(context, { definition: priorityClasses, manifest, failure }, flags);
}

/** As Go's flags parse an int32, in decimal digits. */
function int32(text: string): number {
	if (!/^[+-]?\d+$/.test(text)) throw invalidFlag('--value', text, 'invalid syntax');
	const value = Number(text);
	if (value < -(2 ** 31) || value >= 2 ** 31) throw invalidFlag('--value', text, 'value out of range');
	return value;
}

const TRUE: readonly unknown[] = [true, 'true', '1', 't', 'T', 'TRUE', 'True'];
const FALSE: readonly unknown[] = [false, 'false', '0', 'f', 'F', 'FALSE', 'False'];

function truth(given: boolean | string): boolean {
	if (TRUE.includes(given)) return true;
	if (FALSE.includes(given)) return false;
	throw invalidFlag('--global-default', String(given), 'invalid syntax');
}

function invalidFlag(flag: string, text: string, problem: string): CommandError {
	const parser = flag === '--value' ? 'ParseInt' : 'ParseBool';
	const reason = `strconv.${parser}: parsing ${quote(text)}: ${problem}`;
	return new CommandError(
		`invalid argument ${quote(text)} for "${flag}" flag: ${reason}\nSee '${calledAs('create priorityclass')} --help' for usage.`,
	);
}
