/** What stint changes of its arguments before commander reads them, so that it accepts what kubectl accepts. */
import type { Command, Option } from 'commander';

/**
 * The arguments, with `help create job` replaced by `create job --help`, and so `create help job`: commander's own help
 * command reads one word only. Of words that name no command, the first one becomes an unknown command.
 */
export function withHelpFlag(program: Command, args: readonly string[]): readonly string[] {
	const at = args.indexOf('help');
	const group = at < 0 ? undefined : commandAt(program, args.slice(0, at));
	if (!group || group.commands.length === 0) return args;
	const words = args.slice(at + 1);
	if (words.length === 0) return args;
	const named = words.findIndex((_, index) => !commandAt(group, words.slice(0, index + 1)));
	const known = named < 0 ? words : words.slice(0, named);
	const [unknown] = words.slice(known.length);
	const isGroup = (commandAt(group, known)?.commands ?? []).length > 0;
	const last = unknown !== undefined && isGroup ? unknown : '--help';
	return [...args.slice(0, at), ...known, last];
}

/** The flags that all commands of cli/ have, with a value: `-n jobs`, `-njobs` or `--namespace=jobs`. */
const COMMON_FLAGS = /^(?:-n|--namespace|--kubeconfig)$/;
const COMMON_FLAGS_WITH_VALUE = /^(?:-n.|--(?:namespace|kubeconfig)=)/;

/** The arguments, with flags that all commands have moved from before the command to behind it: kubectl takes `-n jobs get pods`. */
export function withFlagsBehind(args: readonly string[]): readonly string[] {
	let count = 0;
	for (let next = args[0]; next !== undefined; next = args[count])
		if (COMMON_FLAGS_WITH_VALUE.test(next)) count += 1;
		else if (COMMON_FLAGS.test(next) && args.length > count + 1) count += 2;
		else break;
	const [flags, words] = [args.slice(0, count), args.slice(count)];
	if (words.length === 0) return args;
	const end = endOfFlags(words);
	return [...words.slice(0, end), ...flags, ...words.slice(end)];
}

/** A flag with a value behind an equals sign, such as `--watch=true` or `-w=true`. */
const FLAG_WITH_VALUE = /^(--[a-z][a-z-]*|-[a-zA-Z])=(.*)$/s;

/** What Go's strconv.ParseBool accepts. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
	...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
	...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/**
 * The arguments, with `--watch=true` replaced by `--watch`, and without `--watch=false`, for flags of the command that have no
 * value, and `-n=jobs` by `-n jobs`; an unknown flag loses its value, so that commander finds the one that is meant. Ends the process
 * with an error for the user if a value is no boolean.
 */
export function withPlainFlags(program: Command, args: readonly string[]): readonly string[] {
	const end = endOfFlags(args);
	let command = program;
	const plain = args.slice(0, end).flatMap((word) => {
		command = subcommand(command, word) ?? command;
		const [, flag = '', value = ''] = FLAG_WITH_VALUE.exec(word) ?? [];
		if (flag === '') return [word];
		const option = optionOf(command, flag);
		if (!option) return flag.startsWith('--') ? [flag] : [word];
		if (!option.isBoolean()) return flag === option.short ? [flag, value] : [word];
		const isSet = BOOLEANS.get(value);
		if (isSet === undefined) command.error(`error: ${invalidBoolean(option, value)}`);
		return isSet ? [flag] : [];
	});
	return [...plain, ...args.slice(end)];
}

function optionOf(command: Command, flag: string): Option | undefined {
	return command.options.find(({ short, long }) => flag === short || flag === long);
}

/** The words of pflag. */
function invalidBoolean({ short, long }: Option, value: string): string {
	const names = [short, long].filter((name) => name !== undefined).join(', ');
	const quoted = JSON.stringify(value);
	return `invalid argument ${quoted} for "${names}" flag: strconv.ParseBool: parsing ${quoted}: invalid syntax`;
}

/** The index of `--`, behind which nothing is a flag. */
function endOfFlags(args: readonly string[]): number {
	return args.includes('--') ? args.indexOf('--') : args.length;
}

function subcommand(command: Command, word: string): Command | undefined {
	return command.commands.find((each) => each.name() === word || each.aliases().includes(word));
}

function commandAt(program: Command, words: readonly string[]): Command | undefined {
	let command: Command | undefined = program;
	for (const word of words) command = command && subcommand(command, word);
	return command;
}
