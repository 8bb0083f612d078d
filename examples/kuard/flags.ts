/** The command line of kuard, parsed as Go programs do: `--name=value`, `--name value` or `--name`. */

/** The values of the flags. */
export interface Flags {
	/** Host and port to serve on; `:8080` means this machine only. */
	readonly address: string;
	readonly keygenEnable: boolean;
	/** Number of keys to generate; 0: no limit. */
	readonly keygenNumToGen: number;
	/** Seconds to run; 0: no limit. */
	readonly keygenTimeToRun: number;
	readonly keygenExitOnComplete: boolean;
	readonly keygenExitCode: number;
	/** URL of the broker from whose queue work is taken; it ends in `/memq/server`. */
	readonly keygenMemqServer: string;
	readonly keygenMemqQueue: string;
}

type Value = string | number | boolean;

const DEFAULTS: ReadonlyMap<string, Value> = new Map<string, Value>(
	Object.entries({
		address: ':8080',
		'keygen-enable': false,
		'keygen-num-to-gen': 0,
		'keygen-time-to-run': 0,
		'keygen-exit-on-complete': false,
		'keygen-exit-code': 0,
		'keygen-memq-server': '',
		'keygen-memq-queue': '',
	}),
);

/** A command line that kuard does not understand. */
export class FlagError extends Error {
	override readonly name = 'FlagError';
}

/** Reads the arguments after the program's name. Throws {@link FlagError}. */
export function parseFlags(args: readonly string[]): Flags {
	const values = new Map(DEFAULTS);
	for (let index = 0; index < args.length; index++) {
		const [, name = '', given] = /^--([^=]+)(?:=(.*))?$/s.exec(args[index] ?? '') ?? [];
		const known = DEFAULTS.get(name);
		if (known === undefined) throw new FlagError(`unknown flag: ${args[index]}`);
		if (typeof known === 'boolean') {
			values.set(name, parseBoolean(name, given ?? 'true'));
			continue;
		}
		const text = given ?? args[++index];
		if (text === undefined) throw new FlagError(`flag needs an argument: --${name}`);
		values.set(name, typeof known === 'number' ? parseInteger(name, text) : text);
	}
	return {
		address: String(values.get('address')),
		keygenEnable: values.get('keygen-enable') === true,
		keygenNumToGen: Number(values.get('keygen-num-to-gen')),
		keygenTimeToRun: Number(values.get('keygen-time-to-run')),
		keygenExitOnComplete: values.get('keygen-exit-on-complete') === true,
		keygenExitCode: Number(values.get('keygen-exit-code')),
		keygenMemqServer: String(values.get('keygen-memq-server')),
		keygenMemqQueue: String(values.get('keygen-memq-queue')),
	};
}

function parseBoolean(name: string, text: string): boolean {
	if (/^(1|t|true)$/i.test(text)) return true;
	if (/^(0|f|false)$/i.test(text)) return false;
	throw new FlagError(`invalid argument "${text}" for "--${name}" flag: not true or false`);
}

function parseInteger(name: string, text: string): number {
	if (/^[+-]?\d+$/.test(text)) return Number(text);
	throw new FlagError(`invalid argument "${text}" for "--${name}" flag: not a whole number`);
}
