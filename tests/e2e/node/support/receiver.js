// Receivers of webhooks made of nothing but Node's own http server.
'use strict';

const http = require('node:http');
const { within } = require('./gateway.js');

/** Starts `server` on a port of the system's choice and answers its URL. */
function listen(server) {
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
    });
}

/** Ends a server with its connections. */
function close(server) {
    return new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
    });
}

/** Keeps every POST as it came: path, headers, bytes of the body, connection. */
class Receiver {
    static async start(answer = (request, response) => response.writeHead(200).end()) {
        const receiver = new Receiver();
        receiver.posts = [];
        receiver.waiting = [];
        receiver.connections = 0;
        receiver.server = http.createServer((request, response) => receiver.take(request, response, answer));
        receiver.server.on('connection', () => { receiver.connections += 1; });
        receiver.url = await listen(receiver.server);
        return receiver;
    }

    take(request, response, answer) {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
            this.posts.push({
                method: request.method,
                path: request.url,
                headers: request.headers,
                body: Buffer.concat(chunks),
            });
            answer(request, response, this.posts.length);
            this.waiting.splice(0).forEach((check) => check());
        });
    }

    /** Answers the POSTs once there are at least `count`. */
    async wait(count) {
        const enough = new Promise((resolve) => {
            const check = () => {
                if (this.posts.length >= count) resolve(this.posts);
                else this.waiting.push(check);
            };
            check();
        });
        return within(enough, `${count} POSTs`);
    }

    stop() {
        return close(this.server);
    }
}

module.exports = { Receiver, close, listen };
