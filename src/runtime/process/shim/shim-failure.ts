import { getSystemErrorMap } from 'node:util';
import type { ShimFailure } from './shim-event.ts';

/** The shim could not start a program. Has the fields of Node's system errors, so that callers treat both alike. */
export class StartFailure extends Error {
	override readonly name = 'StartFailure';
	/** Such as ENOENT. */
	readonly code: string;
	/** What failed: `exec`, `chdir`, `mount`, `clone` … */
	readonly step: string;
	/** The path that it was about; empty if none. */
	readonly path: string;

	constructor({ errno, step, detail }: ShimFailure) {
		const [code = `errno ${errno}`, text = code] = getSystemErrorMap().get(-errno) ?? [];
		super(`${step}${detail && ` ${JSON.stringify(detail)}`}: ${text}`);
		this.code = code;
		this.step = step;
		this.path = detail;
	}
}
