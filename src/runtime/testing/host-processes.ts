import { readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';

/** The processes of the machine whose arguments are these. */
export function withArguments(...argv: readonly string[]): readonly number[] {
	const expected = `${argv.join('\0')}\0`;
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.filter((name) => attempt(() => readFileSync(`/proc/${name}/cmdline`, 'utf8')) === expected)
		.map(Number);
}
