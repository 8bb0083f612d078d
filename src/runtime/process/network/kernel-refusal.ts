import { getSystemErrorMessage } from 'node:util';

/** What the kernel has refused, from the words of the shim: the number of the error and the step. */
export function kernelRefusal(words: string): string {
	const [errno = '', step = ''] = words.trim().split(' ');
	return `the kernel refused ${step}: ${getSystemErrorMessage(-Number(errno))}`;
}
