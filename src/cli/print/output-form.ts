import { CommandError } from '../context.ts';
import { type CustomColumn, parseCustomColumns } from './custom-columns.ts';
import { JsonPathError, parseTemplate } from './jsonpath-parser.ts';

/**
 * print/: values as text, without any knowledge of commands or requests. Read output-form.ts (the value of
 * -o), table.ts and aligned-text.ts (columns), json.ts, yaml.ts with yaml-scalar.ts, jsonpath-parser.ts with
 * jsonpath.ts, custom-columns.ts, terminal-text.ts (escaping).
 *
 * 1. Every format equals kubectl's output character by character, since scripts parse it. The tests compare
 *    with recorded output of kubectl.
 * 2. All functions but {@link TablePrinter.print} are pure.
 */

/** The output format of `get`. */
export type OutputForm =
	| { readonly type: 'table'; readonly wide: boolean }
	| { readonly type: 'yaml' | 'json' | 'name' }
	| { readonly type: 'jsonpath'; readonly template: string }
	| { readonly type: 'columns'; readonly columns: readonly CustomColumn[] };

const FORMS = ['custom-columns', 'json', 'jsonpath', 'name', 'wide', 'yaml'];

/** Parses the value of `-o`. Throws a CommandError for an unknown format or an invalid template. */
export function parseOutputForm(output: string | undefined): OutputForm {
	const [, form = '', argument] = /^([^=]*)=?(.*)$/s.exec(output ?? '') ?? [];
	switch (form) {
		case '':
		case 'wide':
			return { type: 'table', wide: form === 'wide' };
		case 'yaml':
		case 'json':
		case 'name':
			return { type: form };
		case 'jsonpath':
			return { type: 'jsonpath', template: checkedTemplate(argument) };
		case 'custom-columns':
			return { type: 'columns', columns: checkedColumns(argument) };
		default:
			throw unknownForm(form, FORMS);
	}
}

/** kubectl's error for an output format that the command does not support; `forms` are the supported ones. */
export function unknownForm(form: string, forms: readonly string[]): CommandError {
	const allowed = forms.join(',');
	return new CommandError(
		`unable to match a printer suitable for the output format "${form}", allowed formats are: ${allowed}`,
	);
}

/**
 * Parses a template before any request is sent, so that a syntax error is reported even if nothing is found.
 */
function checkedTemplate(template = ''): string {
	if (template === '') throw new CommandError('template format specified but no template given');
	try {
		parseTemplate(template);
	} catch (error) {
		throw new CommandError(`error parsing jsonpath ${template}, ${messageOf(error)}`);
	}
	return template;
}

function checkedColumns(text = ''): readonly CustomColumn[] {
	if (text === '') throw new CommandError('custom-columns format specified but no custom columns given');
	try {
		return parseCustomColumns(text);
	} catch (error) {
		throw new CommandError(messageOf(error));
	}
}

/** The message of a syntax error. Rethrows any other error, which would be a bug of the parser. */
function messageOf(error: unknown): string {
	if (error instanceof JsonPathError) return error.message;
	throw error;
}
