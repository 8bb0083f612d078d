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

/** Flags with a value behind an equals sign, such as `--watch=true`, `-w=true` or `-it=true`. */
const FLAG_WITH_VALUE = /^(--[a-z][a-z-]*|-[a-zA-Z]+)=(.*)$/s;

/** What Go's strconv.ParseBool accepts. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
	...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
	...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/**
 * The arguments, with values of boolean flags and of short flags as commander reads them: `--watch` for `--watch=true`, nothing for
 * `--watch=false`, `-n jobs` for `-n=jobs`. Of several values of a boolean flag, the last one counts. An unknown flag loses its
 * value, so that commander's error names the flag that is meant. Ends the process with an error if a value is no boolean.
 */
export function withPlainFlags(program: Command, args: readonly string[]): readonly string[] {
	const end = endOfFlags(args);
	const plain: string[] = [];
	let command = program;
	for (let index = 0; index < end; index += 1) {
		const word = args[index] ?? '';
		command = subcommand(command, word) ?? command;
		const [, flags, value = ''] = FLAG_WITH_VALUE.exec(word) ?? [];
		if (flags !== undefined) {
			setFlag(plain, { command, word, flags, value });
			continue;
		}
		plain.push(word);
		// The value of a flag is no command and no flag, whatever it looks like.
		const takesNext = index + 1 < end && optionOf(command, lastFlagOf(word))?.required === true;
		if (takesNext) plain.push(args[++index] ?? '');
	}
	return [...plain, ...args.slice(end)];
}

/** The last flag of a word: `-t` of `-it`. */
function lastFlagOf(word: string): string {
	return /^-[a-zA-Z]{2,}$/.test(word) ? `-${word.at(-1)}` : word;
}

/** Adds what commander reads for flags with a value. */
function setFlag(
	plain: string[],
	given: { readonly command: Command; readonly word: string; readonly flags: string; readonly value: string },
): void {
	const { command, word, flags, value } = given;
	const flag = lastFlagOf(flags);
	const others = flag === flags ? '' : flags.slice(1, -1);
	// The value of `-l` in `-lapp=x`.
	if (![...others].every((letter) => optionOf(command, `-${letter}`)?.isBoolean()))
		return void plain.push(word);
	if (others !== '') plain.push(`-${others}`);
	const option = optionOf(command, flag);
	const opposite = option ? undefined : optionOf(command, flag.replace(/^--/, '--no-'));
	const known = option ?? opposite;
	if (!known) return void plain.push(flag.startsWith('--') ? flag : word);
	if (known.required || known.optional)
		return void plain.push(...(flag === known.short ? [flag, value] : [word]));
	const isSet = BOOLEANS.get(value);
	if (isSet === undefined) command.error(`error: ${invalidBoolean(known, value)}`);
	for (const name of [known.short, known.long])
		while (name !== undefined && plain.includes(name)) plain.splice(plain.indexOf(name), 1);
	if (isSet === (option !== undefined)) plain.push(known.long ?? flag);
}

/** The option of a command, or of one that it belongs to. */
function optionOf(command: Command | null, flag: string): Option | undefined {
	if (!command) return undefined;
	const own = command.options.find(({ short, long }) => flag === short || flag === long);
	return own ?? optionOf(command.parent, flag);
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
