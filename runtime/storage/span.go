package storage

import (
	"context"
	"strings"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
	"golang.org/x/sync/errgroup"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// span is a part of the keys below a prefix: those greater than after and not greater than upTo ("" is no bound). Any
// strings part the keys without gaps or overlaps; folders part them evenly.
type span struct{ prefix, after, upTo string }

// spansPerPage is in how many spans the keys are parted that one page of folders covers.
const spansPerPage = 16

// maxDepth bounds how deep a chain of single folders is followed to find the place where they fan out.
const maxDepth = 4

// list sends the selected items of all prefixes, page by page and in no order.
func (p *purge) list(ctx context.Context, spread bool, out chan<- []item) error {
	g, ctx := errgroup.WithContext(ctx)
	places := make(chan struct{}, listers)
	start := func(s span) error {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		g.Go(func() error {
			defer func() { <-places }()
			return fault.Try(func() error { return p.listSpan(ctx, s, out) })
		})
		return nil
	}
	for _, prefix := range p.prefixes {
		if !spread {
			if err := start(span{prefix: prefix}); err != nil {
				break // the group knows why
			}
			continue
		}
		g.Go(func() error { return fault.Try(func() error { return p.split(ctx, prefix, start) }) })
	}
	return g.Wait()
}

// split parts the keys below a prefix into spans with about the same number of folders, and starts each as soon as its
// bounds are known. Lithops has a folder for each job below lithops.jobs/, and one for each call in it.
func (p *purge) split(ctx context.Context, prefix string, start func(span) error) error {
	in := &s3.ListObjectsV2Input{Bucket: &p.store.o.Bucket, Prefix: aws.String(prefix), Delimiter: aws.String("/")}
	after := ""
	for depth, n := 0, 0; n < transport.MaxPages; n++ {
		out, err := p.store.page(ctx, in)
		if err != nil {
			return err
		}
		folders, more := out.CommonPrefixes, in.ContinuationToken != nil
		if err := p.page(len(folders)); err != nil {
			return err
		}
		if len(folders) == 1 && len(out.Contents) == 0 && !more && depth < maxDepth {
			if inner := aws.StringValue(folders[0].Prefix); len(inner) > len(*in.Prefix) && strings.HasPrefix(inner, *in.Prefix) {
				in.Prefix, depth = aws.String(inner), depth+1
				continue
			}
		}
		step := (len(folders) + spansPerPage - 1) / spansPerPage
		for i := step; i < len(folders); i += step {
			bound := aws.StringValue(folders[i].Prefix)
			if bound <= after {
				continue // not in order: the spans then are uneven, which is harmless
			}
			if err := start(span{prefix, after, bound}); err != nil {
				return err
			}
			after = bound
		}
		if !more || len(folders) == 0 {
			return start(span{prefix, after, ""})
		}
	}
	return p.store.endless()
}

// listSpan lists one span to its end.
func (p *purge) listSpan(ctx context.Context, s span, out chan<- []item) error {
	versioned, err := p.versioned()
	if err != nil {
		return err
	}
	next := p.objectPages(s)
	if versioned {
		next = p.versionPages(s)
	}
	for range transport.MaxPages {
		page, more, err := next(ctx)
		if err != nil {
			return err
		}
		if err := p.page(len(page)); err != nil {
			return err
		}
		var chosen []item
		for _, it := range page {
			if err := p.store.within(s.prefix, it.key); err != nil {
				return err
			}
			switch {
			case it.key <= s.after: // another span's, from a store that ignores start-after
			case s.upTo != "" && it.key > s.upTo:
				more = false // the rest is another span's
			case p.old(it):
				chosen = append(chosen, it)
			}
		}
		if len(chosen) > 0 {
			select {
			case out <- chosen:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if !more {
			return nil
		}
	}
	return p.store.endless()
}

// old reports whether an item has the age that is asked for. One whose age is not known is kept.
func (p *purge) old(it item) bool {
	if p.sweep.OlderThan.IsZero() {
		return true
	}
	return !it.changed.IsZero() && it.changed.Before(p.sweep.OlderThan)
}

func (p *purge) objectPages(s span) transport.NextPage[item] {
	in := &s3.ListObjectsV2Input{Bucket: &p.store.o.Bucket, Prefix: aws.String(s.prefix)}
	if s.after != "" {
		in.StartAfter = aws.String(s.after)
	}
	return func(ctx context.Context) ([]item, bool, error) {
		out, err := p.store.page(ctx, in)
		if err != nil {
			return nil, false, err
		}
		page := make([]item, 0, len(out.Contents))
		for _, o := range out.Contents {
			page = append(page, item{key: aws.StringValue(o.Key), size: aws.Int64Value(o.Size), changed: aws.TimeValue(o.LastModified)})
		}
		return page, in.ContinuationToken != nil, nil
	}
}
