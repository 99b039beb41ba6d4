import { NAME } from './credentials.ts'

const HOST = `Host: ${NAME}`
const PATH = '/notes/v1/notes/1'

/** A request behind the one that is judged; whoever reads the framing in another way than we do would serve it. */
const BEHIND = `GET /notes/v1/notes/smuggled HTTP/1.1\r\n${HOST}\r\n\r\n`

const get = (...fields: string[]) => `GET ${PATH} HTTP/1.1\r\n${[HOST, ...fields].join('\r\n')}\r\n\r\n${BEHIND}`
const line = (requestLine: string) => `${requestLine}\r\n${HOST}\r\n\r\n${BEHIND}`
const post = (fields: readonly string[], content: string) =>
  `POST /csr HTTP/1.1\r\n${[HOST, 'Content-Type: application/pkcs10', ...fields].join('\r\n')}\r\n\r\n${content}`
const length = (...values: string[]) =>
  post(
    values.map((value) => `Content-Length: ${value}`),
    `hello${BEHIND}`,
  )
const coding = (value: string) => post([`Transfer-Encoding: ${value}`], `5\r\nhello\r\n0\r\n\r\n${BEHIND}`)
const chunks = (content: string) => post(['Transfer-Encoding: chunked'], `${content}${BEHIND}`)
const hosts = (...values: string[]) =>
  `GET ${PATH} HTTP/1.1\r\n${values.map((value) => `Host: ${value}\r\n`).join('')}\r\n${BEHIND}`

/** RFC 9112 6.1, 6.3, 11.2: where does the content end? */
const FRAMINGS = {
  'Content-Length, then Transfer-Encoding': post(
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    `0\r\n\r\n${BEHIND}`,
  ),
  'Transfer-Encoding, then Content-Length': post(
    ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    `0\r\n\r\n${BEHIND}`,
  ),
  'Content-Length 0 and Transfer-Encoding': post(
    ['Content-Length: 0', 'Transfer-Encoding: chunked'],
    `0\r\n\r\n${BEHIND}`,
  ),
  'Transfer-Encoding in a fold': post(['Content-Length: 5', 'X: a', ' Transfer-Encoding: chunked'], `hello${BEHIND}`),
  'Transfer-Encoding after a space': post(['Content-Length: 5', ' Transfer-Encoding: chunked'], `hello${BEHIND}`),
  'Transfer-Encoding before a space': post(['Transfer-Encoding : chunked'], `0\r\n\r\n${BEHIND}`),
  'Transfer-Encoding before a tab': post(['Transfer-Encoding\t: chunked'], `0\r\n\r\n${BEHIND}`),
  'Transfer-Encoding twice': post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], `0\r\n\r\n${BEHIND}`),
  'Transfer-Encoding twice, once unknown': post(
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: x'],
    `0\r\n\r\n${BEHIND}`,
  ),
  'Transfer-Encoding xchunked': coding('xchunked'),
  'Transfer-Encoding chunkedx': coding('chunkedx'),
  'Transfer-Encoding identity': coding('identity'),
  'Transfer-Encoding chunked, identity': coding('chunked, identity'),
  'Transfer-Encoding identity, chunked': coding('identity, chunked'),
  'Transfer-Encoding gzip, chunked': coding('gzip, chunked'),
  'Transfer-Encoding chunked, chunked': coding('chunked, chunked'),
  'Transfer-Encoding in quotes': coding('"chunked"'),
  'Transfer-Encoding with a parameter': coding('chunked;q=1'),
  'Transfer-Encoding with a vertical tab': coding('\x0bchunked'),
  'Transfer-Encoding with NUL': coding('chunked\0'),
  'Transfer-Encoding of HTTP/1.0': post(['Transfer-Encoding: chunked'], `0\r\n\r\n${BEHIND}`).replace('1.1', '1.0'),
  'content of GET by length': get('Content-Length: 0').replace(': 0', `: ${BEHIND.length}`),
  'content of GET by chunks': get('Transfer-Encoding: chunked').replace(BEHIND, `0\r\n\r\n${BEHIND}`),
  'Content-Length twice': length('5', '5'),
  'Content-Length twice, different': length('5', '6'),
  'Content-Length as a list': length('5, 5'),
  'Content-Length as a list, different': length('5,6'),
  'Content-Length with plus': length('+5'),
  'Content-Length negative': length('-5'),
  'Content-Length hexadecimal': length('0x5'),
  'Content-Length with a fraction': length('5.0'),
  'Content-Length with an exponent': length('5e0'),
  'Content-Length in two parts': length('5 5'),
  'Content-Length with a parameter': length('5;a'),
  'Content-Length of nothing': length(''),
  'Content-Length beyond 64 bit': length('18446744073709551621'),
  'Content-Length with a vertical tab': length('5\x0b'),
  'Content-Length with NUL': length('5\0'),
  'Content-Length in other digits': length('\xb5'),
  'Content-Length before a space': post(['Content-Length : 5'], `hello${BEHIND}`),
}

/** RFC 9112 7.1 */
const CHUNKS = {
  'size of letters': chunks('zz\r\nhello\r\n0\r\n\r\n'),
  'size negative': chunks('-5\r\nhello\r\n0\r\n\r\n'),
  'size with plus': chunks('+5\r\nhello\r\n0\r\n\r\n'),
  'size with 0x': chunks('0x5\r\nhello\r\n0\r\n\r\n'),
  'size after a space': chunks(' 5\r\nhello\r\n0\r\n\r\n'),
  'size before a space': chunks('5 \r\nhello\r\n0\r\n\r\n'),
  'size of nothing': chunks('\r\nhello\r\n0\r\n\r\n'),
  'size beyond 64 bit': chunks('10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'size before LF': chunks('5\nhello\r\n0\r\n\r\n'),
  'size before CR': chunks('5\rhello\r\n0\r\n\r\n'),
  'data longer than its size': chunks('4\r\nhello\r\n0\r\n\r\n'),
  'data shorter than its size': chunks('6\r\nhello\r\n0\r\n\r\n'),
  'data before LF': chunks('5\r\nhello\n0\r\n\r\n'),
  'data without CR LF': chunks('5\r\nhello0\r\n\r\n'),
  'extension with LF': chunks('5;a=b\nc\r\nhello\r\n0\r\n\r\n'),
  'extension with NUL': chunks('5;a=\0\r\nhello\r\n0\r\n\r\n'),
  'extension without end': chunks(`5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
  'last chunk before something': chunks('5\r\nhello\r\n0\r\nx\r\n\r\n'),
  'last chunk before LF': chunks('5\r\nhello\r\n0\n\n'),
  'trailer without a name': chunks('5\r\nhello\r\n0\r\n: x\r\n\r\n'),
  'trailer with a space': chunks('5\r\nhello\r\n0\r\na b: x\r\n\r\n'),
}

/** RFC 9112 2.2, 5.1, 5.2; RFC 9110 5.5 */
const LINES = {
  'LF after the request line': get().replace('\r\n', '\n'),
  'LF after a field': get('A: b').replace('b\r\n', 'b\n'),
  'LF at the end of the head': get().replace('\r\n\r\n', '\r\n\n'),
  'LF only': get().replaceAll('\r\n', '\n'),
  'CR only': get().replaceAll('\r\n', '\r'),
  'CR in a value': get('A: b\rc'),
  'CR and a field in a value': get('A: b\rC: d'),
  'LF and a field in a value': get('A: b\nC: d'),
  'CR CR LF': get('A: b\r'),
  'NUL in a value': get('A: b\0c'),
  'NUL in a name': get('A\0: b'),
  'a control character in a value': get('A: b\x01c'),
  'DEL in a value': get('A: b\x7fc'),
  'a fold by a space': get('A: b', ' c'),
  'a fold by a tab': get('A: b', '\tc'),
  'a fold of Host': get().replace(HOST, `Host:\r\n ${NAME}`),
  'a fold before the first field': get().replace('Host', ' Host'),
  'a space before the colon': get('A : b'),
  'a field without a colon': get('Ab'),
  'a field without a name': get(': b'),
  'a space in a name': get('A b: c'),
  'parentheses in a name': get('A(b): c'),
  'a name outside of ASCII': get('\xc4: b'),
  'a head of 20 KiB': get(`A: ${'b'.repeat(20_000)}`),
  '65 fields': get(...Array.from({ length: 64 }, (_, index) => `A${index}: b`)),
  '2,001 fields': get(...Array.from({ length: 2_000 }, () => 'A:')),
  'Authorization twice': get('Authorization: Bearer honest', 'Authorization: Bearer other'),
  'Content-Type twice': post(['Content-Length: 5', 'Content-Type: application/json'], `hello${BEHIND}`),
}

/** RFC 9112 3 */
const REQUEST_LINES = {
  'no version': line(`GET ${PATH}`),
  'HTTP/0.9': line(`GET ${PATH} HTTP/0.9`),
  'HTTP/1.0': line(`GET ${PATH} HTTP/1.0`),
  'HTTP/1.2': line(`GET ${PATH} HTTP/1.2`),
  'HTTP/2.0': line(`GET ${PATH} HTTP/2.0`),
  'HTTP/1.10': line(`GET ${PATH} HTTP/1.10`),
  'HTTP/1.1 and more': line(`GET ${PATH} HTTP/1.1 x`),
  'http/1.1': line(`GET ${PATH} http/1.1`),
  tabs: line(`GET\t${PATH}\tHTTP/1.1`),
  'a space before': line(` GET ${PATH} HTTP/1.1`),
  'a space in the target': line('GET /notes/v1/notes/1 2 HTTP/1.1'),
  'a method in small letters': line(`get ${PATH} HTTP/1.1`),
  'an unknown method': line(`FETCH ${PATH} HTTP/1.1`),
  'no method': line(`${PATH} HTTP/1.1`),
  'a target without a slash': line('GET notes/v1/notes/1 HTTP/1.1'),
  'a target of another host': line(`GET https://evil.example${PATH} HTTP/1.1`),
  'a target of another port': line(`GET https://${NAME}:1${PATH} HTTP/1.1`),
  'a target of another scheme': line(`GET http://${NAME}${PATH} HTTP/1.1`),
  'a target with user information': line(`GET https://a@${NAME}${PATH} HTTP/1.1`),
  'a target of a network path': line(`GET https:${PATH} HTTP/1.1`),
  'a target with a fragment': line(`GET ${PATH}#a HTTP/1.1`),
  'a target with NUL': line(`GET ${PATH}\0 HTTP/1.1`),
  'a target with CR': line(`GET ${PATH}\r HTTP/1.1`),
  'a target outside of ASCII': line(`GET ${PATH}\xe9 HTTP/1.1`),
  'a target with a backslash': line('GET \\notes\\v1 HTTP/1.1'),
  'a target with quotes': line(`GET ${PATH}"<> HTTP/1.1`),
  'the asterisk': line('GET * HTTP/1.1'),
  'the preface of HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${BEHIND}`,
  'a tunnel': line(`CONNECT ${NAME}:443 HTTP/1.1`),
  'a ClientHello': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${BEHIND}`,
  'an answer': `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${BEHIND}`,
}

/** RFC 9112 3.2 */
const HOSTS = {
  'no Host': hosts(),
  'Host twice': hosts(NAME, NAME),
  'Host twice, one foreign': hosts(NAME, 'evil.example'),
  'Host twice, the first foreign': hosts('evil.example', NAME),
  'Host before a space': get().replace('Host:', 'Host :'),
}

/** Byte sequences of HTTP/1.1 that must get one refusal at most, and the end of their connection (THREATS HT-03). */
export const AMBIGUOUS: Readonly<Record<string, string>> = {
  ...FRAMINGS,
  ...CHUNKS,
  ...LINES,
  ...REQUEST_LINES,
  ...HOSTS,
}

/** Hosts that are not ours, in requests that are otherwise well formed: 421, and the connection may stay. */
export const FOREIGN_HOSTS = [
  '',
  'evil.example',
  `a@${NAME}`,
  `${NAME}/a`,
  `${NAME}, evil.example`,
  `${NAME} evil.example`,
  `${NAME}.`,
  `${NAME}:443:443`,
  `${NAME}:`,
  `${NAME}:123456`,
  `${NAME}%00`,
  '127.0.0.1',
  '[::1]',
]

const one = (head: string) => head.replaceAll('\n', '\r\n')
/** The nearest honest ones, each with the number of answers that it gets. */
export const HONEST: Readonly<Record<string, { octets: string; answers: number }>> = {
  'content by length': { octets: post(['Content-Length: 5'], 'hello'), answers: 1 },
  'content by chunks': { octets: post(['Transfer-Encoding: chunked'], '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'), answers: 1 },
  'chunks with extension and trailer': {
    octets: post(['transfer-encoding: Chunked'], '5;a=b;c="d"\r\nhello\r\n000\r\nX-A: b\r\n\r\n'),
    answers: 1,
  },
  'a chunk size in capitals': {
    octets: post(['Transfer-Encoding: chunked'], `A\r\n0123456789\r\n0\r\n\r\n`),
    answers: 1,
  },
  'an expectation': { octets: post(['Content-Length: 5', 'Expect: 100-continue'], 'hello'), answers: 1 },
  'white space around values': { octets: one(`GET ${PATH} HTTP/1.1\nHost:\t ${NAME} \t\nA:\n\n`), answers: 1 },
  'a host with its port, in capitals': {
    octets: one(`GET ${PATH} HTTP/1.1\nhOST: ${NAME.toUpperCase()}:8443\n\n`),
    answers: 1,
  },
  'the absolute form': { octets: one(`GET https://${NAME}${PATH} HTTP/1.1\n${HOST}\n\n`), answers: 1 },
  'an empty line before': { octets: one(`\nGET ${PATH} HTTP/1.1\n${HOST}\n\n`), answers: 1 },
  'an upgrade that is not taken': {
    octets: one(`GET ${PATH} HTTP/1.1\n${HOST}\nConnection: upgrade\nUpgrade: h2c\n\n`),
    answers: 1,
  },
  'two spaces, which RFC 9112 3 lets a server take': { octets: one(`GET  ${PATH} HTTP/1.1\n${HOST}\n\n`), answers: 1 },
  'two at once': { octets: get().replace('smuggled', '2'), answers: 2 },
  'content, and another behind': {
    octets: post(['Content-Length: 5'], `hello${BEHIND.replace('smuggled', '2')}`),
    answers: 2,
  },
}
