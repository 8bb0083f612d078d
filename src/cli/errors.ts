import { ApiError } from '../api/meta/api-error.ts';
import { ServerUnreachableError } from '../client/server-unreachable.ts';
import { calledAs } from './called-as.ts';

/** An error, and what the user may do about it. */
export class HintedError extends Error {
	override readonly name = 'HintedError';
	readonly hint: string;

	constructor(cause: unknown, hint: string) {
		super(hint, { cause });
		this.hint = hint;
	}
}

/** The text for an error that a command ends with: kubectl's words, and a hint where there is one. */
export function describeError(error: unknown): string {
	if (error instanceof HintedError) return `${describeError(error.cause)}\nhint: ${error.hint}`;
	if (error instanceof ApiError) return describeApiError(error);
	if (error instanceof ServerUnreachableError) return withHint(error.message, unreachableHint(error));
	return `error: ${error instanceof Error ? error.message : String(error)}`;
}

function describeApiError(error: ApiError): string {
	const { status, message, reason } = error;
	const { details } = status;
	if (reason === 'Unauthorized') {
		return withHint(`error: You must be logged in to the server (${message})`, FOREIGN);
	}
	const causes = uniqueCauses(error);
	if (reason !== 'Invalid' || causes.length === 0) return `Error from server (${reason}): ${message}`;
	const head = `The ${details?.kind} "${details?.name}" is invalid: `;
	const texts = causes.map(({ field, message: text }) => `${field}: ${text}`);
	return texts.length === 1
		? head + texts.join('')
		: `${head}\n${texts.map((text) => `* ${text}`).join('\n')}`;
}

/** A field that was refused, and why. */
export interface Cause {
	readonly field: string;
	readonly message: string;
}

/** The fields that the server refused, each once; values that would fill the screen are shortened. */
export function uniqueCauses({ status }: ApiError): readonly Cause[] {
	const found = new Map<string, Cause>();
	for (const { field = '', message = '' } of status.details?.causes ?? [])
		found.set(`${field}: ${message}`, { field, message: shortened(message) });
	return [...found.values()];
}

/** The longest value that is quoted in full; that of a Job's template would fill the screen. */
const LONGEST_VALUE = 120;

function shortened(message: string): string {
	return message.replace(
		/^(Invalid value: )(.*)(: .*?)$/s,
		(whole, head: string, value: string, tail: string) =>
			value.length > LONGEST_VALUE ? `${head}${value.slice(0, LONGEST_VALUE / 2)}…${tail}` : whole,
	);
}

function unreachableHint({ refused, message }: ServerUnreachableError): string | undefined {
	if (message.includes('unknown authority')) return FOREIGN;
	return refused ? `is it running? It is started by: ${calledAs('server')}` : undefined;
}

const FOREIGN = 'the kubeconfig may be that of another server, or of one that has been set up anew';

/** The text with a hint below it, where there is one. */
export function withHint(text: string, hint: string | undefined): string {
	return hint === undefined ? text : `${text}\nhint: ${hint}`;
}
