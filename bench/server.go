package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// roleVariable tells a copy of this program what it is: the server, or a client whose memory is measured.
const roleVariable = "WALLARM_BENCH_ROLE"

// addresses is what the server says of itself. TLS1 speaks HTTP/1.1 only, TLS2 speaks HTTP/2.
type addresses struct {
	HTTP, TLS1, TLS2, Control string
	Certificate               []byte
}

// server is a process of its own, so that allocations, processor time and memory are the client's alone.
type server struct {
	addresses
	process *exec.Cmd
	input   io.Closer
}

// startServer starts the server as a copy of this program.
func startServer() (*server, error) {
	s := &server{process: exec.Command(os.Args[0])}
	s.process.Env = append(os.Environ(), roleVariable+"=server")
	s.process.Stderr = os.Stderr
	input, err := s.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.input = input
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.addresses)
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the server did not say where it is: %w", err)
	}
	return s, nil
}

// stop ends the server, which lives as long as its input.
func (s *server) stop() {
	s.input.Close()
	_ = s.process.Wait()
}

// connections returns how many connections the server has accepted so far.
func (s *server) connections() (int, error) {
	response, err := http.Get(s.Control)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(data))
}

// base is the base URL of a world with this latency, so many unknown members in a hit, and so many items in a list.
func (s *server) base(address string, latency time.Duration, unknown, total int) string {
	return fmt.Sprintf("%s/%d/%d/%d", address, latency.Milliseconds(), unknown, total)
}

// serve is the whole life of the server process.
func serve() error {
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	var opened atomic.Int64
	api := &fake{hits: map[int][]item{0: hitItems(0), 3: hitItems(3)}, attacks: attackItems()}
	handler := api.handler()
	count := func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	var a addresses
	for _, listener := range []struct {
		url       *string
		protocols []bool // HTTP/1.1, HTTP/2
	}{{&a.HTTP, nil}, {&a.TLS1, []bool{true, false}}, {&a.TLS2, []bool{true, true}}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: handler, ConnState: count, ReadHeaderTimeout: time.Minute}
		if listener.protocols == nil {
			*listener.url = "http://" + l.Addr().String()
			go server.Serve(l)
			continue
		}
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(listener.protocols[0])
		server.Protocols.SetHTTP2(listener.protocols[1])
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		*listener.url = "https://" + l.Addr().String()
		go server.ServeTLS(l, "", "")
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	a.Control = "http://" + control.Addr().String()
	go http.Serve(control, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, opened.Load()) }))
	a.Certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		return err
	}
	// The end of the input is the end of the parent.
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// fake answers the few routes that are measured. It does as little as it can, since it shares the processors with the clients.
type fake struct {
	hits    map[int][]item
	attacks []item
	pages   sync.Pool
}

const attackPage = 100

func (f *fake) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{latency}/{unknown}/{total}/v1/user", f.user)
	mux.HandleFunc("POST /{latency}/{unknown}/{total}/v1/objects/hit", f.hitPage)
	mux.HandleFunc("POST /{latency}/{unknown}/{total}/v1/objects/attack", f.attackPage)
	mux.HandleFunc("POST /{latency}/{unknown}/{total}/v2/objects/attack", f.attackPage)
	mux.HandleFunc("POST /{latency}/{unknown}/{total}/fail", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	return mux
}

// number reads a part of the path.
func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.PathValue(name))
	return n
}

func (f *fake) user(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	time.Sleep(time.Duration(number(r, "latency")) * time.Millisecond)
	answer(w, []byte(userAnswer))
}

func (f *fake) hitPage(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Limit, Offset int }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Limit < 1 {
		http.Error(w, `{"status":400,"body":"limit"}`, http.StatusBadRequest)
		return
	}
	time.Sleep(time.Duration(number(r, "latency")) * time.Millisecond)
	total := number(r, "total")
	f.page(w, f.hits[number(r, "unknown")], min(asked.Offset, total), min(asked.Offset+asked.Limit, total), "")
}

func (f *fake) attackPage(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Cursor string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, `{"status":400,"body":"cursor"}`, http.StatusBadRequest)
		return
	}
	time.Sleep(time.Duration(number(r, "latency")) * time.Millisecond)
	total := number(r, "total")
	first, _ := strconv.Atoi(asked.Cursor)
	end, next := min(first+attackPage, total), ""
	if end < total {
		next = strconv.Itoa(end)
	}
	f.page(w, f.attacks, min(first, total), end, next)
}

// page writes a page: at once, unless it is huge.
func (f *fake) page(w http.ResponseWriter, items []item, first, end int, cursor string) {
	if end-first > pageSize {
		writeHuge(w, items, first, end)
		return
	}
	buffer, ok := f.pages.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	*buffer = appendPage((*buffer)[:0], items, first, end, cursor)
	answer(w, *buffer)
	f.pages.Put(buffer)
}

// writeHuge writes a page piece by piece, so that the first item is on its way before the last one is made.
func writeHuge(w http.ResponseWriter, items []item, first, end int) {
	w.Header().Set("Content-Type", "application/json")
	piece := []byte(`{"status":200,"body":[`)
	for number := first; number < end; number++ {
		if number > first {
			piece = append(piece, ',')
		}
		piece = items[number%variety].stamp(piece, number)
		if len(piece) > 32<<10 {
			if _, err := w.Write(piece); err != nil {
				return
			}
			piece = piece[:0]
		}
	}
	_, _ = w.Write(append(piece, `]}`...))
}

func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
