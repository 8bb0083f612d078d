import { ApiError } from '../api/errors/api-error.ts';
import { messageOf } from '../base/message-of.ts';
import { ServerUnreachableError } from '../client/transport/server-unreachable.ts';
import { calledAs } from './called-as.ts';

/** An error with a hint for the user; `cause` is the error itself. */
export class HintedError extends Error {
	override readonly name = 'HintedError';
	readonly hint: string;

	constructor(cause: unknown, hint: string) {
		super(hint, { cause });
		this.hint = hint;
	}
}

/** The text that a command prints for an error: kubectl's text, and below it a hint if we know one. */
export function describeError(error: unknown): string {
	if (error instanceof HintedError) return `${describeError(error.cause)}\nhint: ${error.hint}`;
	if (error instanceof ApiError) return describeApiError(error);
	if (error instanceof ServerUnreachableError) return withHint(error.message, unreachableHint(error));
	return `error: ${messageOf(error)}`;
}

/**
 * kubectl's text for an ApiError: checkErr and StandardErrorMessage of
 * k8s.io/kubectl/pkg/cmd/util/helpers.go.
 */
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

/** A field that the server rejected, with its message. */
export interface Cause {
	readonly field: string;
	readonly message: string;
}

/** The fields that the server rejected, without duplicates. Long values in the messages are shortened. */
export function uniqueCauses({ status }: ApiError): readonly Cause[] {
	const found = new Map<string, Cause>();
	for (const { field = '', message = '' } of status.details?.causes ?? [])
		found.set(`${field}: ${message}`, { field, message: shortened(message) });
	return [...found.values()];
}

/**
 * Values of more characters are shortened. The value of a rejected change of a Job's template is the whole
 * template, which would fill the screen.
 */
const LONGEST_VALUE = 120;

function shortened(message: string): string {
	const [, head, value = '', tail] = /^(Invalid value: )(.*)(: .*?)$/s.exec(message) ?? [];
	return value.length > LONGEST_VALUE ? `${head}${value.slice(0, LONGEST_VALUE / 2)}…${tail}` : message;
}

/** Only a refused connection means that no server is running; after a time-out that is not certain. */
function unreachableHint({ refused, message }: ServerUnreachableError): string | undefined {
	if (message.includes('unknown authority')) return FOREIGN;
	return refused ? `is the server running? Start it with: ${calledAs('server')}` : undefined;
}

/** For a CA or token that the server does not have: it made new ones because its data folder was deleted. */
const FOREIGN = 'the kubeconfig may belong to another server, or to a data folder that no longer exists';

/** `text`, followed by a line with the hint if there is one. */
export function withHint(text: string, hint: string | undefined): string {
	return hint === undefined ? text : `${text}\nhint: ${hint}`;
}
