import { parseGoDuration } from '../../api/batch/cronjob/go-duration.ts';
import { quote } from '../../base/quote.ts';
import { calledAs } from '../called-as.ts';
import { CommandError } from '../context.ts';

/** A flag whose value is parsed. */
export interface ParsedFlag {
	/** As kubectl names it in errors: `--value`, `-r, --replicas`. */
	readonly flag: string;
	/** The command that has it: `create deployment`. */
	readonly command: string;
}

/** As Go's flags parse an int32, in decimal digits. Throws a CommandError with kubectl's text. */
export function parseInt32Flag(text: string, flag: ParsedFlag): number {
	return Number(parseInteger(text, { flag, bits: 32 }));
}

/** The same for an int64. */
export function parseInt64Flag(text: string, flag: ParsedFlag): bigint {
	return parseInteger(text, { flag, bits: 64 });
}

function parseInteger(
	text: string,
	{ flag, bits }: { readonly flag: ParsedFlag; readonly bits: number },
): bigint {
	const invalid = (problem: string): CommandError =>
		invalidFlag(text, flag, `strconv.ParseInt: parsing ${quote(text)}: ${problem}`);
	if (!/^[+-]?\d+$/.test(text)) throw invalid('invalid syntax');
	const value = BigInt(text.replace(/^\+/, ''));
	if (BigInt.asIntN(bits, value) !== value) throw invalid('value out of range');
	return value;
}

/** As Go's flags parse a duration, such as `10s` or `1h30m`: in milliseconds. Throws a CommandError with kubectl's text. */
export function parseDurationFlag(text: string, flag: ParsedFlag): number {
	const parsed = parseGoDuration(text);
	if (!parsed.ok) throw invalidFlag(text, flag, parsed.error);
	return parsed.ms;
}

/** kubectl's error for a flag that cannot be parsed. */
export function invalidFlag(text: string, { flag, command }: ParsedFlag, reason: string): CommandError {
	return new CommandError(
		`invalid argument ${quote(text)} for "${flag}" flag: ${reason}\nSee '${calledAs(command)} --help' for usage.`,
	);
}
