import { priorityClasses } from '../../api/scheduling/priorityclass/definition.ts';
import { quote } from '../../base/quote.ts';
import { invalidFlag, parseInt32Flag } from '../args/parsed-flag.ts';
import type { CliContext } from '../context.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of `create priorityclass`. */
export interface PriorityClassFlags extends CreateFlags {
	readonly value?: string;
	readonly globalDefault?: boolean | string;
	readonly description?: string;
	readonly preemptionPolicy?: string;
}

const COMMAND = 'create priorityclass';

/** `stint create priorityclass NAME`. Resolves to the exit code. */
export async function createPriorityClass(
	context: CliContext,
	names: readonly string[],
	flags: PriorityClassFlags,
): Promise<number> {
	const value = parseInt32Flag(flags.value ?? '0', { flag: '--value', command: COMMAND });
	const globalDefault = truth(flags.globalDefault ?? false);
	const { description = '', preemptionPolicy = 'PreemptLowerPriority' } = flags;
	const metadata = { name: oneName(names, 'priorityclass') };
	const manifest = { metadata, value, globalDefault, description, preemptionPolicy };
	const failure = 'failed to create priorityclass: ';
	return createNew(context, { definition: priorityClasses, manifest, failure }, flags);
}

const TRUE: readonly unknown[] = [true, 'true', '1', 't', 'T', 'TRUE', 'True'];
const FALSE: readonly unknown[] = [false, 'false', '0', 'f', 'F', 'FALSE', 'False'];

function truth(given: boolean | string): boolean {
	if (TRUE.includes(given)) return true;
	if (FALSE.includes(given)) return false;
	const text = String(given);
	const reason = `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`;
	throw invalidFlag(text, { flag: '--global-default', command: COMMAND }, reason);
}
